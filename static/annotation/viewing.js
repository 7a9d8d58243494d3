// What the pictures are seen on: measured once a session and stored with it, as the consent says.

import { measureRefreshRate, measureResolution } from "./clock.js";

// Chrome's and Edge's steps of browser zoom, and the scales that systems offer for a screen.
const ZOOM_STEPS = [0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5];
const SCREEN_SCALES = [1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4];

const isNear = (found, wanted, share) => Math.abs(found / wanted - 1) < share;
const holds = (query) => matchMedia(query).matches;
const firstOf = (feature, values) =>
  values.find((value) => holds(`(${feature}: ${value})`)) ?? null;

export function window_px() {
  return { window_width_px: innerWidth, window_height_px: innerHeight };
}

/** How far the browser's zoom is in the pixel ratio but not in the screen's size; mostly 1. */
function zoomBesideScreen() {
  // Firefox scales all of its lengths; Chrome leaves those of the screen and of the outer window
  // alone. A side panel makes the inner window narrower too, but hardly by just such a step.
  const step = ZOOM_STEPS.find((zoom) => isNear(outerWidth / innerWidth, zoom, 0.02));
  if (step === undefined) return 1;
  return SCREEN_SCALES.some((scale) => isNear(devicePixelRatio / step, scale, 0.01)) ? step : 1;
}

/** The whole screen in its own pixels: {width, height}. */
export function screenInDevicePixels() {
  const ratio = devicePixelRatio / zoomBesideScreen();
  return { width: Math.round(screen.width * ratio), height: Math.round(screen.height * ratio) };
}

/** A phone or a tablet: nothing to point with but fingers, or it says so itself. */
export function isHandheld() {
  const isPadAsMac = navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
  const saysSo = /Android|iPhone|iPad|Mobile/.test(navigator.userAgent);
  return saysSo || isPadAsMac || !holds("(any-pointer: fine)");
}

function screenFacts() {
  const { width, height } = screenInDevicePixels();
  return {
    screen_width_px: screen.width,
    screen_height_px: screen.height,
    screen_device_width_px: width,
    screen_device_height_px: height,
    available_width_px: screen.availWidth,
    available_height_px: screen.availHeight,
    is_extended: screen.isExtended ?? null,
    device_pixel_ratio: devicePixelRatio,
    colour_depth_bits: screen.colorDepth,
    colour_gamut: firstOf("color-gamut", ["rec2020", "p3", "srgb"]),
    dynamic_range: firstOf("dynamic-range", ["high", "standard"]),
  };
}

function personFacts() {
  return {
    user_agent: navigator.userAgent.slice(0, 400),
    languages: navigator.languages.slice(0, 10),
    pointer: firstOf("pointer", ["fine", "coarse", "none"]),
    touch_points: navigator.maxTouchPoints,
    is_motion_reduced: holds("(prefers-reduced-motion: reduce)"),
    time_zone_offset_min: -new Date().getTimezoneOffset(),
  };
}

export function measureViewing() {
  const viewing = {
    ...screenFacts(),
    ...window_px(),
    outer_window_width_px: outerWidth,
    outer_window_height_px: outerHeight,
    ...personFacts(),
    clock_resolution_ms: measureResolution(),
    refresh_rate_hz: null,
  };
  // Filled in while the first pictures load; null if the first answer is faster.
  measureRefreshRate().then((rate) => (viewing.refresh_rate_hz = rate));
  return viewing;
}
