// Judgments wait here, on disk, from the moment they are made until the server lists them as
// stored. Survives reload, crash and a long time without network.

const NAME = "triad-outbox";
const WAITING = "waiting";
const REFUSED = "refused";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      // Numbered, because an answer that supersedes another must reach the server after it.
      const waiting = request.result.createObjectStore(WAITING, { autoIncrement: true });
      waiting.createIndex("session", "session");
      request.result.createObjectStore(REFUSED, { keyPath: "judgment.id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("The outbox is held by an older page."));
  });
}

/** Runs `work` in one transaction; resolves when it is committed. */
function written(database, stores, work) {
  return new Promise((resolve, reject) => {
    // Strict: flushed to the disk, so that the answer survives a power cut too.
    const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
    const result = work(transaction);
    transaction.oncomplete = () => resolve(result?.result);
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

function records(database, session) {
  return new Promise((resolve, reject) => {
    const found = [];
    const cursor = database.transaction(WAITING).objectStore(WAITING).openCursor();
    cursor.onerror = () => reject(cursor.error);
    cursor.onsuccess = () => {
      const row = cursor.result;
      if (!row) return resolve(found);
      if (!session || row.value.session === session) found.push({ key: row.key, ...row.value });
      row.continue();
    };
  });
}

export class Outbox {
  #database;
  #session;
  #url;
  // What is on disk for this session, readable at once: a page that is closing cannot wait.
  #kept = new Map();

  static async open(session, url) {
    const outbox = new Outbox();
    outbox.#database = await opened();
    outbox.#session = session;
    outbox.#url = url;
    for (const record of await records(outbox.#database, session)) {
      outbox.#kept.set(record.judgment.id, record);
    }
    return outbox;
  }

  get size() {
    return this.#kept.size;
  }

  /** In the order in which they were made. */
  get judgments() {
    return [...this.#kept.values()].map((record) => record.judgment);
  }

  async put(judgment) {
    const record = { session: this.#session, url: this.#url, judgment };
    const key = await written(this.#database, [WAITING], (transaction) =>
      transaction.objectStore(WAITING).add(record),
    );
    this.#kept.set(judgment.id, { key, ...record });
  }

  /** Lets go of what the server holds; sets apart what it refused, never throws it away. */
  async settle(stored, refused) {
    const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
    const gone = [...stored, ...reasons.keys()].filter((id) => this.#kept.has(id));
    if (gone.length === 0) return 0;
    await written(this.#database, [WAITING, REFUSED], (transaction) => {
      for (const id of gone) {
        const { key, ...record } = this.#kept.get(id);
        transaction.objectStore(WAITING).delete(key);
        if (reasons.has(id)) {
          transaction.objectStore(REFUSED).put({ ...record, reason: reasons.get(id) });
        }
      }
    });
    for (const id of gone) this.#kept.delete(id);
    return gone.length;
  }

  /** Sessions other than this one that left judgments behind: [session, url] pairs. */
  async otherSessions() {
    const all = await records(this.#database, null);
    const others = all.filter((record) => record.session !== this.#session);
    return [...new Map(others.map((record) => [record.session, record.url]))];
  }
}
