// Whether a design is enough to find a difference: seconds of simulation, so only when asked.

export function offerPower(form, typed) {
  const part = form.querySelector("[data-power-url]");
  const [button, said] = [part.querySelector("button"), part.querySelector("[role=status]")];
  part.hidden = false;

  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "Simulating studies of this design…";
    try {
      const reply = await fetch(`${part.dataset.powerUrl}?${typed()}`);
      if (!reply.ok) throw new Error(`${reply.status}`);
      const found = await reply.json();
      if (found.errors.length) said.textContent = found.errors.join(" ");
      else said.innerHTML = found.html;
    } catch {
      said.textContent = "No news from the server; nothing is known.";
    } finally {
      button.disabled = false;
    }
  });
  // What was found is of what was typed then.
  form.addEventListener("input", () => {
    said.textContent = "";
  });
}
