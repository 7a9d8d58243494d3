// What a study asks of the screen, and whether this one has it.

import { texts } from "./texts.js";
import { isHandheld, screenInDevicePixels } from "./viewing.js";

const ON_GRID = 0.001;

/**
 * gate: {min_screen_width_px, min_screen_height_px, require_ratio_one, computers_only}.
 * Returns null where all is met, else the words {title, text} that say what to do.
 */
export function unmet(gate) {
  if (gate.computers_only && isHandheld()) return texts.computersOnly;
  const found = screenInDevicePixels();
  const needed = { width: gate.min_screen_width_px, height: gate.min_screen_height_px };
  if (found.width < needed.width || found.height < needed.height) {
    return texts.screenBelow(found, needed);
  }
  const isOne = Math.abs(devicePixelRatio - 1) < ON_GRID;
  return gate.require_ratio_one && !isOne ? texts.ratioNotOne(devicePixelRatio) : null;
}
