// Judgments wait here, on disk, from the moment they are made until the server lists them as
// stored. Survives reload, crash and a long time without network.

const NAME = "triad-outbox";
const VERSION = 2;
const WAITING = "waiting";
const REFUSED = "refused";
const OWNERS = "owners";
// A store that does not even open by then is of no use to anybody.
const OPENS_WITHIN_MS = 10_000;

/** Another tab answers for this session now: this one keeps nothing any more. */
class TakenOver extends Error {}

function opened() {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error("The outbox does not open."));
    const timer = setTimeout(late, OPENS_WITHIN_MS);
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = ({ oldVersion }) => {
      const database = request.result;
      if (oldVersion < 1) {
        // Numbered, because an answer that supersedes another must reach the server after it.
        const waiting = database.createObjectStore(WAITING, { autoIncrement: true });
        waiting.createIndex("session", "session");
        database.createObjectStore(REFUSED, { keyPath: "judgment.id" });
      }
      // session -> the tab that may keep answers for it.
      if (oldVersion < 2) database.createObjectStore(OWNERS);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      // A newer page never waits for this one.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("The outbox is held by an older page."));
  });
}

/** Runs `work` in one transaction; resolves with its request's result when it is committed. */
function written(database, stores, work) {
  return new Promise((resolve, reject) => {
    // Strict: flushed to the disk, so that the answer survives a power cut too.
    const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
    let reason = null;
    const giveUp = (error) => {
      reason = error;
      transaction.abort();
    };
    const made = work(transaction, giveUp);
    transaction.oncomplete = () => resolve(made?.result);
    transaction.onabort = () => reject(reason ?? transaction.error);
  });
}

function records(store, session) {
  return new Promise((resolve, reject) => {
    const found = [];
    const cursor = store.openCursor();
    cursor.onerror = () => reject(cursor.error);
    cursor.onsuccess = () => {
      const row = cursor.result;
      if (!row) return resolve(found);
      const { key: number, value: record } = row;
      if (!session || record.session === session) found.push({ number, record });
      row.continue();
    };
  });
}

export class Outbox {
  #database;
  #session;
  #address;
  #onLost;
  // Unlike a number, never another tab's.
  #tab = crypto.getRandomValues(new Uint32Array(4)).join("-");
  // What is on disk for this session, readable at once: a page that is closing cannot wait.
  // judgment id -> {number, record}; the number is its place in the store.
  #kept = new Map();

  /** Whether anything was ever kept in this browser; true where it does not tell. */
  static async exists() {
    if (!indexedDB.databases) return true;
    return (await indexedDB.databases()).some(({ name }) => name === NAME);
  }

  /**
   * `url` and `key`: where the session's answers go, and what lets this browser bring them.
   * With `onLost` this tab becomes the one that answers for the session, and is told when another
   * becomes it: from then on nothing that it puts is kept. Without, it only reads and settles.
   */
  static async open({ session, url, key }, { onLost = null } = {}) {
    const outbox = new Outbox();
    outbox.#session = session;
    outbox.#address = { session, url, key };
    outbox.#onLost = onLost;
    outbox.#database = await opened();
    if (onLost) {
      await written(outbox.#database, [OWNERS], (transaction) =>
        transaction.objectStore(OWNERS).put(outbox.#tab, session),
      );
    }
    // After the claim: what another tab kept before it is seen, and nothing comes after it.
    for (const kept of await outbox.#onDisk()) outbox.#kept.set(kept.record.judgment.id, kept);
    return outbox;
  }

  get size() {
    return this.#kept.size;
  }

  /** In the order in which they were made. */
  get judgments() {
    return [...this.#kept.values()].map(({ record }) => record.judgment);
  }

  /** Resolves once the judgment is on disk; never, where another tab has taken over. */
  async put(judgment) {
    const record = { ...this.#address, judgment };
    try {
      this.#kept.set(judgment.id, { number: await this.#add(record), record });
    } catch (error) {
      if (!(error instanceof TakenOver)) throw error;
      this.#onLost();
      await new Promise(() => {});
    }
  }

  /** Lets go of what the server holds; sets apart what it refused, never throws it away. */
  async settle(stored, refused) {
    const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
    const gone = [...stored, ...reasons.keys()].filter((id) => this.#kept.has(id));
    if (gone.length === 0) return 0;
    await this.#written([WAITING, REFUSED], (transaction) => {
      for (const id of gone) {
        const { number, record } = this.#kept.get(id);
        transaction.objectStore(WAITING).delete(number);
        if (reasons.has(id)) {
          transaction.objectStore(REFUSED).put({ ...record, reason: reasons.get(id) });
        }
      }
    });
    for (const id of gone) this.#kept.delete(id);
    return gone.length;
  }

  /** Sessions other than this one that left judgments behind: {session, url, key} of each. */
  async otherSessions() {
    const all = (await records(this.#waiting(), null)).map(({ record }) => record);
    const others = all.filter((record) => record.session !== this.#session);
    return [...new Map(others.map((record) => [record.session, record])).values()];
  }

  #waiting() {
    return this.#database.transaction(WAITING).objectStore(WAITING);
  }

  #onDisk() {
    return records(this.#waiting(), this.#session);
  }

  /** One transaction: whether this tab still may, and the answer. */
  #add(record) {
    return this.#written([OWNERS, WAITING], (transaction, giveUp) => {
      const owner = transaction.objectStore(OWNERS).get(this.#session);
      owner.onsuccess = () => {
        if (owner.result !== this.#tab) giveUp(new TakenOver());
      };
      return transaction.objectStore(WAITING).add(record);
    });
  }

  async #written(stores, work) {
    try {
      return await written(this.#database, stores, work);
    } catch (error) {
      if (error instanceof TakenOver) throw error;
      // Browsers let go of a store now and then: cleared by hand, or out of sight on a phone.
      await this.#reopen();
      return written(this.#database, stores, work);
    }
  }

  /** What was cleared away while this page still had it is put back. */
  async #reopen() {
    this.#database.close();
    this.#database = await opened();
    const found = new Map((await this.#onDisk()).map((kept) => [kept.record.judgment.id, kept]));
    await written(this.#database, [OWNERS, WAITING], (transaction) => {
      const owners = transaction.objectStore(OWNERS);
      const owner = owners.get(this.#session);
      owner.onsuccess = () => {
        if (this.#onLost && !owner.result) owners.put(this.#tab, this.#session);
      };
      for (const [id, kept] of this.#kept) {
        if (found.has(id)) continue;
        const added = transaction.objectStore(WAITING).add(kept.record);
        added.onsuccess = () => (kept.number = added.result);
      }
    });
    for (const [id, kept] of found) if (this.#kept.has(id)) this.#kept.set(id, kept);
  }
}
