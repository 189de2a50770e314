/**
 * A mixed load on one storage that remembers all states that each file went through, each with the position of the disk's log at
 * which it was asked for and the one at which it was acknowledged. Each worker owns its files, so a file has one change at a time.
 */
import type { Random } from "#platform/random.ts";
import { StorageCaller } from "../support/storage-caller.ts";

/** `content` undefined: there is no such file. */
export interface FileState {
  readonly content: Buffer | undefined;
  readonly metadata: string | undefined;
}

export interface Version extends FileState {
  readonly askedAt: number;
  readonly ackedAt: number;
}

export interface FileHistory {
  readonly name: string;
  readonly appender: boolean;
  /** The first one is the file's creation. */
  readonly versions: Version[];
  /** The appender file that became this one: of the two there is exactly one. */
  readonly formerly?: FileHistory;
}

const absent: FileState = { content: undefined, metadata: undefined };
/** Slaves have slaves; a name has 127 bytes at most. */
const maxMasterName = 100;
/** Connections of the churn: a group commit each. */
const churners = 48;
const maxAppenderBytes = 2_000_000;

/** What a file may be after a cut at `position`: what was acknowledged last, and what was under way. */
export function possibleStates(history: FileHistory, position: number): readonly FileState[] {
  const settled = history.versions.findLastIndex(({ ackedAt }) => ackedAt <= position);
  const next = history.versions[settled + 1];
  const states = [history.versions[settled] ?? absent];
  if (next !== undefined && next.askedAt <= position) states.push(next);
  return states;
}

export interface LoadOptions {
  readonly port: number;
  readonly random: Random;
  /** Of a hundred uploads so many have the content of an earlier one. */
  readonly repeats: number;
  /** Of a hundred contents so many have up to 100,000 bytes, most others up to 6,000. */
  readonly larger: number;
  /** With so many, a worker makes slaves alone. */
  readonly filesPerWorker: number;
  /** Of the log, now. */
  readonly position: () => number;
}

export class RecordedLoad {
  readonly histories: FileHistory[] = [];
  readonly #options: LoadOptions;
  /** One list a worker. */
  readonly #owned: FileHistory[][] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Rejects when an operation fails: nothing should. May be called again. */
  async run(workers: number, operations: number): Promise<void> {
    let left = operations;
    while (this.#owned.length < workers) this.#owned.push([]);
    await this.#connected(this.#owned.slice(0, workers), async (caller, own) => {
      while (left > 0) {
        left -= 1;
        await this.#step(caller, own);
      }
    });
  }

  /** Adds so many normal files. */
  async fill(workers: number, files: number): Promise<void> {
    let left = files;
    await this.#connected(this.#owned.slice(0, workers), async (caller, own) => {
      while (left > 0) {
        left -= 1;
        await this.#create(caller, own, false);
      }
    });
  }

  /** Deletes nine files of ten. */
  async purge(): Promise<void> {
    await this.#connected(this.#owned, async (caller, own) => {
      for (const file of [...own]) {
        if (this.#options.random.below(10) > 0) await this.#remove(caller, own, file);
      }
    });
  }

  /** Many small changes of files with long names, as long as `goOn` says so. */
  async churn(goOn: () => boolean): Promise<void> {
    const crowd: FileHistory[][] = Array.from({ length: churners }, () => []);
    await this.#connected(crowd, async (caller, own) => {
      await this.#create(caller, own, false);
      while ((own.at(-1)?.name.length ?? 0) <= maxMasterName) {
        const master = own.at(-1) as FileHistory;
        await this.#slave(caller, own, { master, prefix: "_slave_of_slave_" });
      }
      const file = own.at(-1) as FileHistory;
      const { content } = latest(file);
      for (let round = 0; goOn(); round += 1) {
        const metadata = `round\u0002${round}`;
        await this.#change(file, { content, metadata }, () =>
          caller.setMetadata(file.name, metadata, "overwrite"),
        );
      }
    });
  }

  async #connected(
    lists: readonly FileHistory[][],
    work: (caller: StorageCaller, own: FileHistory[]) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      lists.map(async (own) => {
        const caller = await StorageCaller.connect(this.#options.port);
        try {
          await work(caller, own);
        } finally {
          caller.close();
        }
      }),
    );
  }

  async #step(caller: StorageCaller, own: FileHistory[]): Promise<void> {
    const { random, filesPerWorker } = this.#options;
    const dice = random.below(100);
    const file = own[random.below(Math.max(1, own.length))];
    if (file === undefined || (dice < 45 && own.length < filesPerWorker)) {
      await this.#create(caller, own, dice < 12);
    } else if (dice < 60) {
      await this.#remove(caller, own, file);
    } else if (dice < 72) {
      const metadata = `key\u0002${random.below(1e9)}`;
      const content = latest(file).content;
      await this.#change(file, { content, metadata }, () =>
        caller.setMetadata(file.name, metadata, "overwrite"),
      );
    } else if (!file.appender && file.name.length <= maxMasterName) {
      await this.#slave(caller, own, { master: file, prefix: `_${random.below(1e9)}` });
    } else if (!file.appender) {
      await this.#remove(caller, own, file);
    } else if (dice < 78 && latest(file).metadata === undefined) {
      await this.#regenerate(caller, own, file);
    } else {
      await this.#rewrite(caller, file);
    }
  }

  async #create(caller: StorageCaller, own: FileHistory[], appender: boolean): Promise<void> {
    const { random, repeats } = this.#options;
    const again = own[random.below(Math.max(1, own.length))];
    const isRepeated = again?.appender === false && random.below(100) < repeats;
    const content = (isRepeated ? latest(again).content : undefined) ?? this.#content();
    await this.#appear(own, { appender, content }, () => caller.upload(content, { appender }));
  }

  async #slave(
    caller: StorageCaller,
    own: FileHistory[],
    of: { readonly master: FileHistory; readonly prefix: string },
  ): Promise<void> {
    const { master, prefix } = of;
    const content = this.#content();
    await this.#appear(own, { appender: false, content }, () =>
      caller.uploadSlave(master.name, prefix, content),
    );
  }

  async #appear(
    own: FileHistory[],
    file: { readonly appender: boolean; readonly content: Buffer },
    ask: () => Promise<string>,
  ): Promise<void> {
    const { position } = this.#options;
    const askedAt = position();
    const name = await ask();
    const { appender, content } = file;
    const created = { content, metadata: undefined, askedAt, ackedAt: position() };
    const history = { name, appender, versions: [created] };
    this.histories.push(history);
    own.push(history);
  }

  async #remove(caller: StorageCaller, own: FileHistory[], file: FileHistory): Promise<void> {
    own.splice(own.indexOf(file), 1);
    await this.#change(file, absent, () => caller.remove(file.name));
  }

  /** The appender file becomes a normal one under another name. Its metadata would be left behind, as in the original. */
  async #regenerate(caller: StorageCaller, own: FileHistory[], file: FileHistory): Promise<void> {
    const before = latest(file);
    let name = "";
    own.splice(own.indexOf(file), 1);
    await this.#change(file, absent, async () => {
      name = await caller.regenerate(file.name);
    });
    const { askedAt, ackedAt } = latest(file);
    const created = { content: before.content, metadata: undefined, askedAt, ackedAt };
    const history = { name, appender: false, versions: [created], formerly: file };
    this.histories.push(history);
    own.push(history);
  }

  async #rewrite(caller: StorageCaller, file: FileHistory): Promise<void> {
    const { random } = this.#options;
    const { content: before = Buffer.alloc(0), metadata } = latest(file);
    const kind = before.length === 0 ? 0 : before.length > maxAppenderBytes ? 2 : random.below(3);
    const piece = this.#content();
    if (piece.length === 0) return;
    if (kind === 0) {
      const content = Buffer.concat([before, piece]);
      await this.#change(file, { content, metadata }, () => caller.append(file.name, piece));
    } else if (kind === 1) {
      const offset = random.below(before.length);
      const content = Buffer.alloc(Math.max(before.length, offset + piece.length));
      before.copy(content);
      piece.copy(content, offset);
      await this.#change(file, { content, metadata }, () =>
        caller.modify(file.name, offset, piece),
      );
    } else {
      const size = random.below(before.length);
      const content = before.subarray(0, size);
      await this.#change(file, { content, metadata }, () => caller.truncate(file.name, size));
    }
  }

  async #change(file: FileHistory, state: FileState, ask: () => Promise<void>): Promise<void> {
    const { position } = this.#options;
    const askedAt = position();
    await ask();
    file.versions.push({ ...state, askedAt, ackedAt: position() });
  }

  /** Mostly small; now and then one that travels in many pieces. */
  #content(): Buffer {
    const { random, larger } = this.#options;
    const dice = random.below(100);
    const limit = dice < 2 ? 1_500_000 : dice < 2 + larger ? 100_000 : 6_000;
    return Buffer.from(random.bytes(random.below(limit)));
  }
}

function latest(history: FileHistory): Version {
  const version = history.versions.at(-1);
  if (version === undefined) throw new Error(`${history.name} has no version`);
  return version;
}
