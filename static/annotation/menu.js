// The one small menu: keys, full screen, pause. While it is open the pictures are covered.

export function openMenu(dialog, opener, cover, keyTable) {
  const fullScreen = dialog.querySelector("#full-screen");
  fullScreen.hidden = !document.fullscreenEnabled;
  fullScreen.addEventListener("click", async () => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
    dialog.close();
  });
  opener.addEventListener("click", () => {
    cover.raise("menu", { title: "" });
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    keyTable.stop();
    cover.lift("menu");
  });
}
