/**
 * Clients of a simulated cluster: each does one thing after the other, whatever goes wrong, and notes in the manifest what it was
 * promised. Only one client works with a file at a time, so that what it must be is known.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { type MetadataEntry, parseMetadata } from "#model/file-metadata.ts";
import type { Clock } from "#platform/clock.ts";
import { delay } from "#platform/clock.ts";
import type { Random } from "#platform/random.ts";
import { copiesOf } from "./checkers/replicas.ts";
import type { SimulatedCluster } from "./cluster.ts";
import {
  changed,
  describeContent,
  type KnownFile,
  type Manifest,
  maybeChanged,
} from "./manifest.ts";
import { type Life, oneIn, oneOf, skewed, type World } from "./platform/world.ts";

const limits = { connectTimeoutMs: 2000, networkTimeoutMs: 8000, trackerRestMs: 2000 };
/** A client waits up to this long between two things. */
const maxThinkMs = 1500;
const maxContentBytes = 60_000;

/** After these nothing was changed. */
const nothingDone: readonly string[] = [
  ...["trackers-unreachable", "storage-unreachable", "no-storage", "no-space"],
  ...["server-busy", "connection-broken", "not-allowed"],
];

export interface ClientParts {
  readonly world: World;
  readonly cluster: SimulatedCluster;
  readonly manifest: Manifest;
  readonly life: Life;
  readonly clock: Clock;
  readonly client: FastdfsClient;
  readonly random: Random;
  /** False: a file that is not found while there is trouble may be on another storage. */
  readonly missingIsWrong: boolean;
  /** False: what was changed or deleted a moment ago may be as before on another storage. */
  readonly staleIsWrong: boolean;
}

type Deed = (actor: WorkloadClient) => Promise<void>;

const deeds: readonly Deed[] = [
  ...Array.from({ length: 8 }, (): Deed => (actor) => actor.upload(false)),
  ...Array.from({ length: 3 }, (): Deed => (actor) => actor.upload(true)),
  ...Array.from({ length: 7 }, (): Deed => (actor) => actor.read()),
  ...Array.from({ length: 2 }, (): Deed => (actor) => actor.remove()),
  ...Array.from({ length: 3 }, (): Deed => (actor) => actor.append()),
  (actor) => actor.modify(),
  (actor) => actor.truncate(),
  (actor) => actor.uploadSlave(),
  (actor) => actor.regenerate(),
  (actor) => actor.setMetadata(),
  (actor) => actor.getMetadata(),
];

export class WorkloadClient {
  readonly #parts: ClientParts;
  #stopping = false;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    const { clock, random, manifest } = this.#parts;
    while (!this.#stopping) {
      await delay(clock, 1 + skewed(random, 0, maxThinkMs));
      if (this.#stopping) break;
      try {
        await oneOf(random, deeds)(this);
      } catch (error) {
        manifest.violation(
          `a client failed by itself: ${String(error instanceof Error ? error.stack : error)}`,
        );
        return;
      }
    }
  }

  stop(): void {
    this.#stopping = true;
  }

  async upload(appender: boolean): Promise<void> {
    const { client, manifest, random } = this.#parts;
    const content = this.#content();
    const extension = oneOf(random, ["", "txt", "jpg"]);
    const id = await this.#attempt(appender ? "upload-appender" : "upload", () =>
      appender
        ? client.uploadAppender(content, { extension })
        : client.upload(content, { extension }),
    );
    if (id.ok) manifest.add(id.value, content, { appender });
  }

  async uploadSlave(): Promise<void> {
    const { client, manifest, random } = this.#parts;
    const master = this.#choose((file) => changeable(file) && !file.slave);
    if (master === undefined) return;
    const content = this.#content(1);
    // No two slaves of a file have the same name, so that each id means one content. An empty one is taken for lost after a crash in the
    // relaxed mode (`worker/recheck/judge-file.ts`).
    const prefix = `-${random.below(2 ** 32)}`;
    await this.#with(master, async () => {
      const what = `upload-slave ${master.id}`;
      const id = await this.#attempt(what, () =>
        client.uploadSlave(master.id, content, { prefix }),
      );
      if (id.ok) manifest.add(id.value, content, { slave: true });
      else if (id.code === "file-missing") this.#judgeMissing(master, "upload-slave");
    });
  }

  async regenerate(): Promise<void> {
    const { client, manifest, cluster } = this.#parts;
    const file = this.#choose((each) => each.appender && changeable(each));
    if (file === undefined) return;
    await this.#with(file, async () => {
      const content = file.possible[0] as Buffer;
      const id = await this.#attempt(`regenerate ${file.id}`, () => client.regenerate(file.id));
      if (id.ok) {
        file.existence = "deleted";
        const made = manifest.add(id.value, content);
        const copies = copiesOf(cluster, id.value);
        if (!copies.some((copy) => copy?.equals(content) === true)) this.#contest(made);
      } else if (id.code === "file-missing") {
        this.#judgeMissing(file, "regenerate");
      } else if (!nothingDone.includes(id.code)) {
        file.existence = "unknown";
        file.settled = true;
      }
    });
  }

  async read(): Promise<void> {
    const file = this.#choose(() => true);
    if (file === undefined) return;
    await this.#with(file, async () => {
      const { client } = this.#parts;
      const got = await this.#attempt(`download ${file.id}`, () => client.downloadBytes(file.id));
      if (got.ok) this.judge(file, got.value);
      else if (got.code === "file-missing") this.#judgeMissing(file, "download");
    });
  }

  async remove(): Promise<void> {
    const file = this.#choose(changeable);
    if (file === undefined) return;
    await this.#with(file, async () => {
      const { client, cluster } = this.#parts;
      const done = await this.#attempt(`delete ${file.id}`, () => client.remove(file.id));
      if (done.ok) {
        // After a try that broke off a client takes "no such file" for success.
        file.existence = isOutsideAlone(cluster, file) ? "unknown" : "deleted";
      } else if (done.code === "file-missing") {
        this.#judgeMissing(file, "delete");
      } else if (!nothingDone.includes(done.code)) {
        file.existence = "unknown";
        file.settled = true;
      }
    });
  }

  async append(): Promise<void> {
    const more = this.#content();
    const { client } = this.#parts;
    await this.#change("append", {
      becomes: (before) => Buffer.concat([before, more]),
      act: (file) => client.append(file.id, more),
    });
  }

  async modify(): Promise<void> {
    const { client, random } = this.#parts;
    const piece = this.#content();
    const place = random.below(1000);
    await this.#change("modify", {
      becomes: (before) => {
        const offset = Math.min(place, before.length);
        const after = Buffer.alloc(Math.max(before.length, offset + piece.length));
        before.copy(after);
        piece.copy(after, offset);
        return after;
      },
      act: (file, before) =>
        client.modify(file.id, piece, { offset: Math.min(place, before.length) }),
    });
  }

  async truncate(): Promise<void> {
    const { client, random } = this.#parts;
    const fraction = random.below(100) / 100;
    const sizeOf = (before: Buffer): number => Math.floor(before.length * fraction);
    await this.#change("truncate", {
      becomes: (before) => before.subarray(0, sizeOf(before)),
      act: (file, before) => client.truncate(file.id, sizeOf(before)),
    });
  }

  async setMetadata(): Promise<void> {
    const file = this.#choose(changeable);
    if (file === undefined) return;
    await this.#with(file, async () => {
      const { client, random, cluster } = this.#parts;
      const value = String(random.below(1_000_000));
      const before = metadataOf(cluster, file.id);
      const done = await this.#attempt(`set-metadata ${file.id}`, () =>
        client.setMetadata(file.id, [["key", value]]),
      );
      file.metadataHistory.push(value);
      if (done.ok) {
        const after = metadataOf(cluster, file.id);
        const hadLast = after.some(
          (each, at) => each === value && file.metadata.includes(before[at]),
        );
        if (hadLast) {
          file.metadata = [value];
        } else {
          // What this storage did not know of may be the later one.
          file.metadata = [...file.metadata, value];
          file.settled = true;
        }
      } else if (done.code === "file-missing") {
        this.#judgeMissing(file, "set-metadata");
      } else if (!nothingDone.includes(done.code)) {
        file.metadata = [...file.metadata, value];
        file.settled = true;
      }
    });
  }

  async getMetadata(): Promise<void> {
    const file = this.#choose(({ existence }) => existence === "there");
    if (file === undefined) return;
    await this.#with(file, async () => {
      const { client, manifest, staleIsWrong } = this.#parts;
      const got = await this.#attempt(`get-metadata ${file.id}`, () => client.getMetadata(file.id));
      if (!got.ok || !staleIsWrong) return;
      const value = metadataValue(got.value);
      if (!file.metadata.includes(value)) {
        const expected = file.metadata.map(String).join(" or ");
        manifest.violation(`${file.id} has the metadata ${value} instead of ${expected}`);
      }
    });
  }

  /** What was read while there may be trouble. */
  judge(file: KnownFile, content: Buffer): void {
    const { manifest, staleIsWrong } = this.#parts;
    const fine = staleIsWrong ? file.possible : file.history;
    if (file.existence === "deleted" && staleIsWrong) {
      manifest.violation(`${file.id} was deleted and can be read`);
    } else if (!file.contested && !fine.some((each) => each.equals(content))) {
      const expected = file.possible.map(describeContent).join(" or ");
      manifest.violation(`${file.id} is ${describeContent(content)} instead of ${expected}`);
    }
  }

  async #change(
    what: string,
    how: {
      readonly becomes: (before: Buffer) => Buffer;
      readonly act: (file: KnownFile, before: Buffer) => Promise<void>;
    },
  ): Promise<void> {
    const file = this.#choose((each) => each.appender && changeable(each));
    if (file === undefined) return;
    await this.#with(file, async () => {
      const before = file.possible[0] as Buffer;
      const after = how.becomes(before);
      const done = await this.#attempt(
        `${what} ${file.id} from ${before.length} to ${after.length}`,
        () => how.act(file, before),
      );
      const copies = copiesOf(this.#parts.cluster, file.id);
      const areIn = (contents: readonly Buffer[]) => (copy: Buffer | undefined) =>
        copy === undefined || contents.some((each) => each.equals(copy));
      if (done.ok) {
        changed(file, after);
        // Whoever made it had all changes before it; else those of two storages met, and which is lost nobody has promised.
        if (!copies.some((copy) => copy?.equals(after) === true)) this.#contest(file);
      } else if (done.code === "file-missing") {
        this.#judgeMissing(file, what);
      } else if (!nothingDone.includes(done.code)) {
        maybeChanged(file, after);
        if (!copies.every(areIn([before, after]))) this.#contest(file);
      }
    });
  }

  #contest(file: KnownFile): void {
    this.#parts.manifest.count("contested");
    file.contested = true;
    file.settled = true;
  }

  #judgeMissing(file: KnownFile, what: string): void {
    const { manifest, missingIsWrong, cluster } = this.#parts;
    if (file.existence !== "there" || !missingIsWrong) return;
    // The only storage that has it so far may be away; then nobody can tell.
    if (!cluster.isWhole(file.group)) {
      manifest.count("not found in trouble");
      return;
    }
    if (isOutsideAlone(cluster, file)) {
      manifest.count("out of the group");
      return;
    }
    manifest.violation(`${file.id} is there, and ${what} does not find it`);
  }

  #content(least = 0): Buffer {
    const { random } = this.#parts;
    const size = oneIn(random, 12) ? least : Math.floor(skewed(random, 1, maxContentBytes));
    const seed = Buffer.from(random.bytes(24));
    return size === 0 ? Buffer.alloc(0) : Buffer.alloc(size, seed);
  }

  #choose(fits: (file: KnownFile) => boolean): KnownFile | undefined {
    const { manifest, random } = this.#parts;
    const found = manifest.files.filter((file) => !file.taken && fits(file));
    return found.length === 0 ? undefined : oneOf(random, found);
  }

  async #with(file: KnownFile, work: () => Promise<void>): Promise<void> {
    file.taken = true;
    try {
      await work();
    } finally {
      file.taken = false;
    }
  }

  /** `what`: the deed in a word, and more for the notes. */
  async #attempt<T>(what: string, act: () => Promise<T>): Promise<Attempt<T>> {
    const { world, manifest, life } = this.#parts;
    try {
      const value = await act();
      manifest.count(`${deedIn(what)} done`);
      world.note(`${life.name} ${what} ${typeof value === "string" ? value : "done"}`);
      return { ok: true, value };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      manifest.count(`${deedIn(what)} failed`);
      world.note(`${life.name} ${what} ${error.code}: ${describeError(error)}`);
      return { ok: false, code: error.code };
    }
  }
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string };

function deedIn(what: string): string {
  return what.split(" ", 1)[0] ?? what;
}

/**
 * Whoever has it was removed from the group while nobody else had it, its disk being lost: the group does not have the file until they are
 * back and the others know of that.
 */
function isOutsideAlone(cluster: SimulatedCluster, { id, group }: KnownFile): boolean {
  const copies = copiesOf(cluster, id);
  const holders = cluster.storagesOf(group).filter((_machine, at) => copies[at] !== undefined);
  return holders.length > 0 && holders.every(({ isOutside }) => isOutside);
}

/** On each storage's disk. */
function metadataOf(cluster: SimulatedCluster, id: string): readonly (string | undefined)[] {
  return copiesOf(cluster, `${id}-m`).map((copy) => copy && metadataValue(parseMetadata(copy)));
}

function metadataValue(entries: readonly MetadataEntry[] | undefined): string | undefined {
  return entries?.find(([name]) => name === "key")?.[1];
}

function changeable(file: KnownFile): boolean {
  return file.existence === "there" && !file.settled;
}

/** A client with its own process on a machine of its own. */
export function workloadClient(
  cluster: SimulatedCluster,
  manifest: Manifest,
  options: Pick<ClientParts, "missingIsWrong" | "staleIsWrong"> & {
    readonly name: string;
    readonly address: string;
  },
): WorkloadClient {
  const { world } = cluster;
  const { life, clock, network } = cluster.outsider(options.name, options.address);
  const client = new FastdfsClient({ trackers: cluster.trackers, network, clock, limits });
  const { missingIsWrong, staleIsWrong } = options;
  const random = world.newRandom();
  return new WorkloadClient({
    ...{ world, cluster, manifest, life, clock, client, random },
    ...{ missingIsWrong, staleIsWrong },
  });
}
