// Every sentence that the trial page's script says, in one table, so that a language is one more.

const english = {
  of: (number, total) => `${number} of ${total}`,
  saved: "Saved",
  waiting: (n) =>
    `Waiting for the network: ${n} ${n === 1 ? "answer" : "answers"} kept safely here`,
  refused: (n, reason) =>
    `${n} ${n === 1 ? "answer was" : "answers were"} not accepted: ${reason}`,
  loading: { title: "Loading the next pictures" },
  notLoading: (reason) => ({
    title: "The next pictures do not arrive",
    text: `Trying again. Your answers are kept safely here. (${reason})`,
  }),
  away: (n) => ({
    title: "Waiting for the network",
    text: `${n} ${n === 1 ? "answer is" : "answers are"} kept safely on this computer and will be sent by themselves. You may close this page and come back to it in this browser.`,
  }),
  finishing: { title: "Storing your answers" },
  noneFree: {
    title: "Waiting for more comparisons",
    text: "Others are looking at the last ones. This page looks again by itself.",
  },
  nothingLeft: {
    title: "Nothing is left to compare",
    text: "Every comparison of this study has been answered. Thank you for coming.",
  },
  tooSmall: (found, needed) => ({
    title: "The window is too small for the pictures",
    text: `They are shown at full size only. Make the window larger, or go full screen. Found ${found.width} × ${found.height} pixels; needed ${needed.width} × ${needed.height}.`,
    fullScreen: "Full screen",
  }),
  screenTooSmall: (found, needed) => ({
    title: "This screen is too small for the pictures",
    text: `They are shown at full size only. Open this page on a larger screen. Found ${found.width} × ${found.height} pixels; needed ${needed.width} × ${needed.height}.`,
  }),
  pinched: {
    title: "The page is magnified",
    text: "Pinch it back to its normal size. The pictures are shown at full size only.",
  },
  otherTab: {
    title: "This study is open in another tab",
    text: "Go on there. To go on here instead, press the button; the other tab will stop.",
    takeOver: "Go on here",
  },
  otherTabOnly: {
    title: "This study is open in another tab",
    text: "Go on there, or close that tab and load this page again.",
  },
  takenOver: {
    title: "You went on in another tab",
    text: "This tab has stopped. Every answer given here is kept.",
  },
  noStorage: {
    title: "This browser cannot keep your answers safe",
    text: "Its storage is switched off or full. Use a normal window, not a private one, or free some space, and load this page again.",
    again: "Load again",
  },
  notKept: {
    title: "The last answer could not be kept on this computer",
    text: "Its storage is full or switched off. Free some space, then press the button. The answer is still on this page.",
    again: "Keep the answer",
  },
  lost: (n) => ({
    title: "This browser is no longer signed in to the study",
    text: n
      ? `${n} ${n === 1 ? "answer is" : "answers are"} kept safely on this computer. Log in again as before, or open the study's first page, and come back here.`
      : "Every answer is stored. Log in again as before, or open the study's first page.",
    firstPage: "First page of the study",
  }),
  finished: (n) => ({
    title: "This session is finished",
    text: n ? `${n} late ${n === 1 ? "answer was" : "answers were"} not counted.` : "",
    thanks: "To the last page",
  }),
  failed: (reason) => ({
    title: "Something on this page failed",
    text: `Your answers are kept. Load the page again to go on. (${reason})`,
    again: "Load again",
  }),
};

export const texts = english;
