// Every sentence that the trial page's script says, one table a language with the same keys.

const english = {
  of: (number, total) => `${number} of ${total}`,
  practiceOf: (number, total) => `Practice ${number} of ${total}`,
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

  goOn: "Go on",
  leave: "Leave for now",
  endHere: "I cannot change this: end here",
  sides: { left: "left", right: "right" },
  copies: { left: "A", right: "B" },
  practice: {
    right: (side) => `Yes: “${side}” is the answer we expected.`,
    wrong: (side) => `Look again: “${side}” is the answer we expected.`,
    over: (n) => ({
      title: "The real comparisons begin",
      text: `That was the practice. ${n === 1 ? "One comparison follows" : `${n} comparisons follow`}; from now on nobody tells you which answer is expected. Trust your eyes.`,
    }),
  },
  pause: (n, total) => ({
    title: "Take a break",
    text: `${n} of ${total} comparisons are done. Rest your eyes, look into the distance, and go on when you like.`,
  }),
  lookFirst: (n, key) =>
    `Look first: switch ${n === 1 ? "once more" : `${n} more times`} (${key}), then choose.`,
  timeUp: "The pictures are gone. Please choose now.",

  changed: {
    monitor: {
      title: "The screen has changed",
      text: "Keep this window on one screen while you compare. The pictures are drawn anew for the screen they are on now.",
    },
    ratio: {
      title: "The zoom has changed",
      text: "Keep the browser's zoom as it is while you compare. Ctrl and 0 set it back to 100 %. The pictures are drawn anew for the zoom it has now.",
    },
    window: {
      title: "The window has changed",
      text: "Leave the window's size and place as they are while you compare. The pictures are drawn anew in the window as it is now.",
    },
    hidden: {
      title: "You were away",
      text: "Another tab or window was in front of this page. Go on when you are back; the time meanwhile does not count.",
    },
    blurred: {
      title: "Another window has the keyboard",
      text: "Keep to this page while you compare. Go on when you are back; the time meanwhile does not count.",
    },
  },
  computersOnly: {
    title: "This study needs a computer",
    text: "Its pictures are to be compared on a computer's screen. Open this page's address there, on a laptop or a desktop computer.",
  },
  screenBelow: (found, needed) => ({
    title: "This study needs a larger screen",
    text: `It needs ${needed.width} × ${needed.height} pixels or more; this screen has ${found.width} × ${found.height}. Move the window to a larger screen, or open this page on another computer.`,
  }),
  ratioNotOne: (ratio) => ({
    title: "Set the zoom to 100 %",
    text: `This study needs a pixel of the page to be a pixel of the screen; now it is ${Number(ratio.toFixed(3))}. Set the browser's zoom to 100 % (press Ctrl and 0, on a Mac Command and 0). If this page stays, set the screen's own scale to 100 % in the computer's display settings.`,
  }),

  keyNames: {
    " ": "Space", Backspace: "Backspace", Delete: "Delete", Insert: "Insert", Home: "Home", End: "End",
    PageUp: "Page up", PageDown: "Page down",
  },
  acts: {
    left: "left", right: "right", not_sure: "not sure", undo: "take the last answer back",
    switch: "switch the picture", zoom_in: "zoom in", zoom_out: "zoom out",
  },
  keys: {
    change: "Change",
    changeOf: (act) => `Change the key for “${act}”`,
    press: "Press a key",
    reserved: (key) => `${key} is needed for something else. Choose another key.`,
    taken: (key, act) => `${key} already means “${act}”. Choose another key, or change that one first.`,
    set: (key, act) => `${key} now means “${act}”.`,
    wereReset: "All keys are as they were at first.",
  },

  stage: {
    picture: { left: "The left picture", original: "The original picture", right: "The right picture" },
    side: { left: "Left", right: "Right" },
    original: "Original",
    copy: (name) => `Copy ${name}`,
    choose: (name) => `Choose ${name}`,
    views: "Which copy is shown",
    see: (name) => `See ${name}`,
    showOriginal: "Show original",
    zoom: "Magnification",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    motion: {
      title: "These pictures flicker",
      text: "Each changes several times a second between the original and a copy. Your system asks for less motion, so they wait for you. If flicker can harm you, leave this page by the menu.",
      start: "Start",
    },
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
      ? `${n} ${n === 1 ? "answer is" : "answers are"} kept safely on this computer. Log in again as before, here or in another tab: this page then goes on by itself.`
      : "Every answer is stored. Log in again as before, here or in another tab: this page then goes on by itself.",
    logIn: "Log in",
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

const german = {
  of: (number, total) => `${number} von ${total}`,
  practiceOf: (number, total) => `Übung ${number} von ${total}`,
  saved: "Gespeichert",
  waiting: (n) =>
    `Warten auf das Netz: ${n} ${n === 1 ? "Antwort liegt" : "Antworten liegen"} hier sicher bereit`,
  refused: (n, reason) =>
    `${n} ${n === 1 ? "Antwort wurde" : "Antworten wurden"} nicht angenommen: ${reason}`,
  loading: { title: "Die nächsten Bilder werden geladen" },
  notLoading: (reason) => ({
    title: "Die nächsten Bilder kommen nicht an",
    text: `Es wird weiter versucht. Ihre Antworten sind hier sicher aufbewahrt. (${reason})`,
  }),
  away: (n) => ({
    title: "Warten auf das Netz",
    text: `${n} ${n === 1 ? "Antwort ist" : "Antworten sind"} auf diesem Computer sicher aufbewahrt und ${n === 1 ? "wird" : "werden"} von selbst gesendet. Sie können diese Seite schließen und später in diesem Browser zu ihr zurückkehren.`,
  }),
  finishing: { title: "Ihre Antworten werden gespeichert" },
  noneFree: {
    title: "Warten auf weitere Vergleiche",
    text: "Andere sehen sich gerade die letzten an. Diese Seite schaut von selbst wieder nach.",
  },
  nothingLeft: {
    title: "Es gibt nichts mehr zu vergleichen",
    text: "Alle Vergleiche dieser Studie sind beantwortet. Danke, dass Sie gekommen sind.",
  },

  goOn: "Weiter",
  leave: "Vorerst verlassen",
  endHere: "Das kann ich nicht ändern: hier beenden",
  sides: { left: "links", right: "rechts" },
  copies: { left: "A", right: "B" },
  practice: {
    right: (side) => `Ja: „${side}“ ist die erwartete Antwort.`,
    wrong: (side) => `Sehen Sie noch einmal hin: „${side}“ ist die erwartete Antwort.`,
    over: (n) => ({
      title: "Jetzt beginnen die eigentlichen Vergleiche",
      text: `Das war die Übung. ${n === 1 ? "Ein Vergleich folgt" : `${n} Vergleiche folgen`}; ab jetzt sagt Ihnen niemand, welche Antwort erwartet wird. Vertrauen Sie Ihren Augen.`,
    }),
  },
  pause: (n, total) => ({
    title: "Machen Sie eine Pause",
    text: `${n} von ${total} Vergleichen sind geschafft. Ruhen Sie Ihre Augen aus, blicken Sie in die Ferne, und machen Sie weiter, wann Sie möchten.`,
  }),
  lookFirst: (n, key) =>
    `Sehen Sie erst hin: Wechseln Sie noch ${n === 1 ? "einmal" : `${n}-mal`} (${key}), dann wählen Sie.`,
  timeUp: "Die Bilder sind nicht mehr zu sehen. Bitte wählen Sie jetzt.",

  changed: {
    monitor: {
      title: "Der Bildschirm hat sich geändert",
      text: "Lassen Sie dieses Fenster auf einem Bildschirm, während Sie vergleichen. Die Bilder werden für den jetzigen Bildschirm neu gezeichnet.",
    },
    ratio: {
      title: "Der Zoom hat sich geändert",
      text: "Lassen Sie den Zoom des Browsers, wie er ist, während Sie vergleichen. Strg und 0 stellen ihn auf 100 % zurück. Die Bilder werden für den jetzigen Zoom neu gezeichnet.",
    },
    window: {
      title: "Das Fenster hat sich geändert",
      text: "Lassen Sie Größe und Ort des Fensters, wie sie sind, während Sie vergleichen. Die Bilder werden im jetzigen Fenster neu gezeichnet.",
    },
    hidden: {
      title: "Sie waren fort",
      text: "Ein anderer Tab oder ein anderes Fenster lag vor dieser Seite. Machen Sie weiter, wenn Sie zurück sind; die Zeit dazwischen zählt nicht.",
    },
    blurred: {
      title: "Die Tastatur gehört gerade einem anderen Fenster",
      text: "Bleiben Sie auf dieser Seite, während Sie vergleichen. Machen Sie weiter, wenn Sie zurück sind; die Zeit dazwischen zählt nicht.",
    },
  },
  computersOnly: {
    title: "Für diese Studie brauchen Sie einen Computer",
    text: "Ihre Bilder sollen auf dem Bildschirm eines Computers verglichen werden. Öffnen Sie die Adresse dieser Seite dort, auf einem Laptop oder einem Tischrechner.",
  },
  screenBelow: (found, needed) => ({
    title: "Für diese Studie brauchen Sie einen größeren Bildschirm",
    text: `Sie braucht mindestens ${needed.width} × ${needed.height} Pixel; dieser Bildschirm hat ${found.width} × ${found.height}. Ziehen Sie das Fenster auf einen größeren Bildschirm, oder öffnen Sie diese Seite auf einem anderen Computer.`,
  }),
  ratioNotOne: (ratio) => ({
    title: "Stellen Sie den Zoom auf 100 %",
    text: `Für diese Studie muss ein Pixel der Seite ein Pixel des Bildschirms sein; jetzt ist das Verhältnis ${String(Number(ratio.toFixed(3))).replace(".", ",")}. Stellen Sie den Zoom des Browsers auf 100 % (Strg und 0, auf einem Mac Befehl und 0). Bleibt diese Seite stehen, stellen Sie in den Anzeigeeinstellungen des Computers die Skalierung auf 100 %.`,
  }),

  keyNames: {
    " ": "Leertaste", Backspace: "Rücktaste", Delete: "Entf", Insert: "Einfg", Home: "Pos 1", End: "Ende",
    PageUp: "Bild auf", PageDown: "Bild ab",
  },
  acts: {
    left: "links", right: "rechts", not_sure: "nicht sicher", undo: "letzte Antwort zurücknehmen",
    switch: "Bild wechseln", zoom_in: "vergrößern", zoom_out: "verkleinern",
  },
  keys: {
    change: "Ändern",
    changeOf: (act) => `Taste für „${act}“ ändern`,
    press: "Taste drücken",
    reserved: (key) => `${key} wird für anderes gebraucht. Wählen Sie eine andere Taste.`,
    taken: (key, act) => `${key} bedeutet schon „${act}“. Wählen Sie eine andere Taste, oder ändern Sie zuerst jene.`,
    set: (key, act) => `${key} bedeutet jetzt „${act}“.`,
    wereReset: "Alle Tasten sind wieder wie am Anfang.",
  },

  stage: {
    picture: { left: "Das linke Bild", original: "Das Original", right: "Das rechte Bild" },
    side: { left: "Links", right: "Rechts" },
    original: "Original",
    copy: (name) => `Kopie ${name}`,
    choose: (name) => `${name} wählen`,
    views: "Welche Kopie zu sehen ist",
    see: (name) => `${name} ansehen`,
    showOriginal: "Original zeigen",
    zoom: "Vergrößerung",
    zoomIn: "Vergrößern",
    zoomOut: "Verkleinern",
    motion: {
      title: "Diese Bilder flimmern",
      text: "Jedes wechselt mehrmals in der Sekunde zwischen dem Original und einer Kopie. Ihr System bittet um weniger Bewegung, deshalb warten sie auf Sie. Wenn Flimmern Ihnen schaden kann, verlassen Sie diese Seite über das Menü.",
      start: "Starten",
    },
  },

  tooSmall: (found, needed) => ({
    title: "Das Fenster ist zu klein für die Bilder",
    text: `Sie werden nur in voller Größe gezeigt. Vergrößern Sie das Fenster, oder schalten Sie auf Vollbild. Gefunden: ${found.width} × ${found.height} Pixel; nötig: ${needed.width} × ${needed.height}.`,
    fullScreen: "Vollbild",
  }),
  screenTooSmall: (found, needed) => ({
    title: "Dieser Bildschirm ist zu klein für die Bilder",
    text: `Sie werden nur in voller Größe gezeigt. Öffnen Sie diese Seite auf einem größeren Bildschirm. Gefunden: ${found.width} × ${found.height} Pixel; nötig: ${needed.width} × ${needed.height}.`,
  }),
  pinched: {
    title: "Die Seite ist vergrößert",
    text: "Ziehen Sie sie mit zwei Fingern auf ihre normale Größe zurück. Die Bilder werden nur in voller Größe gezeigt.",
  },
  otherTab: {
    title: "Diese Studie ist in einem anderen Tab offen",
    text: "Machen Sie dort weiter. Um stattdessen hier weiterzumachen, drücken Sie den Knopf; der andere Tab hält dann an.",
    takeOver: "Hier weitermachen",
  },
  takenOver: {
    title: "Sie haben in einem anderen Tab weitergemacht",
    text: "Dieser Tab hat angehalten. Jede hier gegebene Antwort ist aufbewahrt.",
  },
  noStorage: {
    title: "Dieser Browser kann Ihre Antworten nicht sicher aufbewahren",
    text: "Sein Speicher ist abgeschaltet oder voll. Benutzen Sie ein normales Fenster, kein privates, oder schaffen Sie Platz, und laden Sie diese Seite neu.",
    again: "Neu laden",
  },
  notKept: {
    title: "Die letzte Antwort konnte auf diesem Computer nicht aufbewahrt werden",
    text: "Sein Speicher ist voll oder abgeschaltet. Schaffen Sie Platz, dann drücken Sie den Knopf. Die Antwort ist noch auf dieser Seite.",
    again: "Antwort aufbewahren",
  },
  lost: (n) => ({
    title: "Dieser Browser ist nicht mehr bei der Studie angemeldet",
    text: n
      ? `${n} ${n === 1 ? "Antwort ist" : "Antworten sind"} auf diesem Computer sicher aufbewahrt. Melden Sie sich wieder an wie zuvor, hier oder in einem anderen Tab: diese Seite macht dann von selbst weiter.`
      : "Alle Antworten sind gespeichert. Melden Sie sich wieder an wie zuvor, hier oder in einem anderen Tab: diese Seite macht dann von selbst weiter.",
    logIn: "Anmelden",
    firstPage: "Erste Seite der Studie",
  }),
  finished: (n) => ({
    title: "Diese Sitzung ist beendet",
    text: n ? `${n} späte ${n === 1 ? "Antwort wurde" : "Antworten wurden"} nicht gezählt.` : "",
    thanks: "Zur letzten Seite",
  }),
  failed: (reason) => ({
    title: "Auf dieser Seite ist etwas fehlgeschlagen",
    text: `Ihre Antworten sind aufbewahrt. Laden Sie die Seite neu, um weiterzumachen. (${reason})`,
    again: "Neu laden",
  }),
};

export const tables = { en: english, de: german };
export const texts = tables[document.documentElement.lang] ?? english;
