/**
 * A mixed load on one storage that remembers what was acknowledged. Each worker owns the files that it makes, so that the
 * expected state of a file is known exactly: what the last acknowledged change left, or, for the one change that was under way at the
 * kill, that or what it would have left.
 */
import type { Random } from "#platform/random.ts";
import { StorageCaller } from "../support/storage-caller.ts";

/** What a file may hold. `undefined` content: the file may be absent. */
export interface Expected {
  readonly contents: readonly (Buffer | undefined)[];
  readonly metadata: readonly (string | undefined)[];
}

interface Tracked {
  content: Buffer | undefined;
  metadata: string | undefined;
  readonly appender: boolean;
}

/** A change that was asked for and not answered. */
interface Doubt {
  readonly name: string;
  readonly content: Buffer | undefined;
  readonly metadata: string | undefined;
}

const maxFilesPerWorker = 40;

export class Workload {
  readonly #port: number;
  readonly #random: Random;
  readonly #files = new Map<string, Tracked>();
  readonly #deleted = new Set<string>();
  readonly #doubts = new Map<string, Doubt>();
  /** Contents of uploads and slaves that were asked for and not answered: their names are not known. */
  readonly #unnamed: Buffer[] = [];
  #acknowledged = 0;
  #stopped = false;

  constructor(port: number, random: Random) {
    this.#port = port;
    this.#random = random;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get unnamed(): readonly Buffer[] {
    return this.#unnamed;
  }

  get deleted(): ReadonlySet<string> {
    return this.#deleted;
  }

  /** Name to what it may hold now. */
  expected(): Map<string, Expected> {
    const result = new Map<string, Expected>();
    for (const [name, file] of this.#files) {
      const doubt = this.#doubts.get(name);
      result.set(name, {
        contents: doubt === undefined ? [file.content] : [file.content, doubt.content],
        metadata: doubt === undefined ? [file.metadata] : [file.metadata, doubt.metadata],
      });
    }
    return result;
  }

  /** After the check: what is there now is what counts from here on. */
  settle(name: string, content: Buffer | undefined, metadata: string | undefined): void {
    this.#doubts.delete(name);
    const file = this.#files.get(name);
    if (content === undefined) {
      this.#files.delete(name);
      this.#deleted.add(name);
    } else if (file !== undefined) {
      file.content = content;
      file.metadata = metadata;
    }
  }

  forgetUnnamed(): void {
    this.#unnamed.length = 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Ends when the server dies or `stop` was called. */
  async run(workers: number): Promise<void> {
    this.#stopped = false;
    await Promise.all(Array.from({ length: workers }, () => this.#worker()));
  }

  async #worker(): Promise<void> {
    const own: string[] = [];
    let caller: StorageCaller;
    try {
      caller = await StorageCaller.connect(this.#port);
    } catch {
      return;
    }
    try {
      while (!this.#stopped) await this.#step(caller, own);
    } catch {
      // The server was killed; what was under way is in #doubts or #unnamed.
    } finally {
      caller.close();
    }
  }

  async #step(caller: StorageCaller, own: string[]): Promise<void> {
    const dice = this.#random.below(100);
    const name = own.length === 0 ? undefined : own[this.#random.below(own.length)];
    if (name === undefined || (dice < 45 && own.length < maxFilesPerWorker)) {
      await this.#create(caller, own, dice < 15);
      return;
    }
    const file = this.#files.get(name);
    if (file?.content === undefined) return;
    if (dice < 60) await this.#remove(caller, own, name);
    else if (dice < 75) await this.#describe(caller, name, file);
    else if (file.appender) await this.#change(caller, name, file);
    else await this.#slave(caller, own, name);
  }

  async #create(caller: StorageCaller, own: string[], appender: boolean): Promise<void> {
    const content = this.#content();
    this.#unnamed.push(content);
    const name = await caller.upload(content, { appender });
    this.#named(content);
    this.#files.set(name, { content, metadata: undefined, appender });
    own.push(name);
  }

  async #slave(caller: StorageCaller, own: string[], master: string): Promise<void> {
    const content = this.#content();
    const prefix = `_${this.#random.below(1e9)}`;
    this.#unnamed.push(content);
    const name = await caller.uploadSlave(master, prefix, content);
    this.#named(content);
    this.#files.set(name, { content, metadata: undefined, appender: false });
    own.push(name);
  }

  async #remove(caller: StorageCaller, own: string[], name: string): Promise<void> {
    this.#doubts.set(name, { name, content: undefined, metadata: undefined });
    await caller.remove(name);
    this.#acknowledged += 1;
    this.#doubts.delete(name);
    this.#files.delete(name);
    this.#deleted.add(name);
    own.splice(own.indexOf(name), 1);
  }

  async #describe(caller: StorageCaller, name: string, file: Tracked): Promise<void> {
    const metadata = `key\u0002${this.#random.below(1e9)}`;
    this.#doubts.set(name, { name, content: file.content, metadata });
    await caller.setMetadata(name, metadata, "overwrite");
    this.#acknowledged += 1;
    this.#doubts.delete(name);
    file.metadata = metadata;
  }

  async #change(caller: StorageCaller, name: string, file: Tracked): Promise<void> {
    const before = file.content ?? Buffer.alloc(0);
    const kind = this.#random.below(3);
    const piece = this.#content();
    let after: Buffer;
    let ask: () => Promise<void>;
    if (kind === 0 || before.length === 0) {
      if (piece.length === 0) return;
      after = Buffer.concat([before, piece]);
      ask = () => caller.append(name, piece);
    } else if (kind === 1) {
      if (piece.length === 0) return;
      const offset = this.#random.below(before.length);
      after = Buffer.alloc(Math.max(before.length, offset + piece.length));
      before.copy(after);
      piece.copy(after, offset);
      ask = () => caller.modify(name, offset, piece);
    } else {
      const size = this.#random.below(before.length);
      after = before.subarray(0, size);
      ask = () => caller.truncate(name, size);
    }
    this.#doubts.set(name, { name, content: after, metadata: file.metadata });
    await ask();
    this.#acknowledged += 1;
    this.#doubts.delete(name);
    file.content = after;
  }

  #named(content: Buffer): void {
    this.#acknowledged += 1;
    this.#unnamed.splice(this.#unnamed.indexOf(content), 1);
  }

  /** Mostly small; now and then one that travels in many pieces. */
  #content(): Buffer {
    const dice = this.#random.below(20);
    const limit = dice === 0 ? 1_500_000 : dice < 5 ? 100_000 : 6_000;
    return Buffer.from(this.#random.bytes(this.#random.below(limit)));
  }
}
