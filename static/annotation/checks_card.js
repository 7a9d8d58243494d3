// A bank card drawn as large as the real one: how many pixels a millimetre of this screen has.

// What a screen's own pixel would be, were it as CSS says; a place to begin.
const CSS_PX_PER_MM = 96 / 25.4;

/** Resolves to {card_width_px, device_pixel_ratio, distance_cm}, or {is_skipped: true}. */
export function checkCard(check, { card_mm, distance_cm, pixels_per_mm }) {
  const element = (id) => check.querySelector(`#${id}`);
  const [long_mm, short_mm] = card_mm;
  const room_px = element("card-room").clientWidth;
  // On a telephone the card stands upright, or it would not fit.
  const isUpright = long_mm * CSS_PX_PER_MM * 1.3 > room_px;
  const wide_mm = isUpright ? short_mm : long_mm;
  const slider = element("card-size");
  slider.min = Math.ceil((wide_mm * pixels_per_mm[0]) / devicePixelRatio) + 60;
  slider.max = Math.max(room_px, wide_mm * CSS_PX_PER_MM);
  slider.value = wide_mm * CSS_PX_PER_MM;
  element("distance").value = distance_cm;

  const draw = () => {
    const px_per_mm = slider.valueAsNumber / wide_mm;
    const card = element("card");
    card.style.width = `${slider.value}px`;
    card.style.height = `${(isUpright ? long_mm : short_mm) * px_per_mm}px`;
    // Corners of a card have a radius of 3.18 mm.
    card.style.borderRadius = `${3.18 * px_per_mm}px`;
  };
  const resize = (width_px) => {
    slider.value = width_px;
    draw();
  };
  slider.addEventListener("input", draw);
  for (const button of check.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () =>
      resize(slider.valueAsNumber + Number(button.dataset.step)),
    );
  }
  dragging(element("corner"), element("card"), resize);
  draw();

  return new Promise((resolve) => {
    element("card-form").addEventListener("submit", (event) => {
      event.preventDefault();
      resolve({
        card_width_px: (slider.valueAsNumber * long_mm) / wide_mm,
        device_pixel_ratio: devicePixelRatio,
        distance_cm: element("distance").valueAsNumber,
      });
    });
    element("no-card").addEventListener("click", () => resolve({ is_skipped: true }));
  });
}

function dragging(corner, card, resize) {
  let grip_px = null;
  corner.addEventListener("pointerdown", (event) => {
    corner.setPointerCapture(event.pointerId);
    grip_px = event.clientX - card.offsetWidth;
    event.preventDefault();
  });
  corner.addEventListener("pointermove", (event) => {
    if (grip_px !== null) resize(event.clientX - grip_px);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    corner.addEventListener(end, () => (grip_px = null));
  }
}
