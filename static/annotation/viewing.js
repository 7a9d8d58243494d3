// What the pictures are seen on: stored once a session, as the consent says.

import { measureRefreshRate, measureResolution } from "./clock.js";

const gamut = () =>
  ["rec2020", "p3", "srgb"].find((name) => matchMedia(`(color-gamut: ${name})`).matches) ?? null;

export function window_px() {
  return { window_width_px: innerWidth, window_height_px: innerHeight };
}

export function measureViewing() {
  const viewing = {
    screen_width_px: screen.width,
    screen_height_px: screen.height,
    ...window_px(),
    device_pixel_ratio: devicePixelRatio,
    colour_depth_bits: screen.colorDepth,
    colour_gamut: gamut(),
    clock_resolution_ms: measureResolution(),
    refresh_rate_hz: null,
  };
  // Filled in while the first pictures load; null if the first answer is faster.
  measureRefreshRate().then((rate) => (viewing.refresh_rate_hz = rate));
  return viewing;
}
