/**
 * The clients of a walk: they store, describe, change, read and delete files through the trackers, whatever goes on below, and remember what
 * they were told. Each file is one worker's alone. An appender file is changed only while all nodes have its last change, because changes
 * that meet at copies of different versions are contested, which is not what is tried here.
 */
import { createHash } from "node:crypto";
import { openClient } from "#client/open-client.ts";
import type { Random } from "#platform/random.ts";
import { pause } from "./system.ts";
import type { WalkNode } from "./walk-node.ts";

/** What a file may be: one of these; more than one where the last request about it was not answered. Undefined: absent. */
export interface KnownFile {
  readonly id: string;
  readonly kind: "plain" | "appender" | "slave";
  contents: readonly (string | undefined)[];
  /** Undefined: none. */
  metadata: readonly (string | undefined)[];
}

interface Owned {
  readonly known: KnownFile;
  /** Of appender files. */
  content: Buffer;
}

const maxOwned = 90;
const networkTimeoutMs = 10_000;
const extension = "bin";

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export class WalkLoad {
  readonly files = new Map<string, KnownFile>();
  /** By their code. */
  readonly failures = new Map<string, number>();
  /** Reads that gave other bytes than were stored. */
  readonly wrong: string[] = [];
  acknowledged = 0;
  readonly #nodes: readonly WalkNode[];
  readonly #random: Random;
  readonly #client: ReturnType<typeof openClient>;
  #isPaused = false;
  #isStopped = false;
  #busy = 0;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(nodes: readonly WalkNode[], random: Random) {
    this.#nodes = nodes;
    this.#random = random;
    const trackers = nodes.map(({ options }) => `${options.address}:${options.ports.tracker}`);
    this.#client = openClient({ trackers, limits: { connectTimeoutMs: 2000, networkTimeoutMs } });
  }

  start(workers: number): void {
    this.#workers = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  /** Resolves when nothing is under way. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    while (this.#busy > 0) await pause(50);
  }

  resume(): void {
    this.#isPaused = false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#workers;
    await this.#client[Symbol.asyncDispose]();
  }

  async #work(): Promise<void> {
    const owned: Owned[] = [];
    while (!this.#isStopped) {
      if (!this.#isPaused) {
        this.#busy += 1;
        await this.#step(owned).catch((error: unknown) => this.#failed(error));
        this.#busy -= 1;
      }
      await pause(10 + this.#random.below(60));
    }
  }

  #failed(error: unknown): void {
    const code = (error as { code?: unknown }).code;
    const name = typeof code === "string" ? code : String(error);
    this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
  }

  async #step(owned: Owned[]): Promise<void> {
    const file = owned[this.#random.below(Math.max(1, owned.length))];
    const dice = owned.length < maxOwned ? this.#random.below(100) : 50 + this.#random.below(50);
    if (file === undefined || dice < 45) await this.#store(owned);
    else if (dice < 60) await this.#read(file);
    else if (dice < 75) await this.#remove(owned, file);
    else if (dice < 82) await this.#describe(owned, file);
    else if (dice < 86) await this.#derive(owned, file);
    else if (file.known.kind === "appender") await this.#change(owned, file);
  }

  /** Mostly small enough to be packed. */
  #bytes(): Buffer {
    const dice = this.#random.below(100);
    const limit = dice < 70 ? 12_000 : dice < 97 ? 200_000 : 2_500_000;
    const bytes = Buffer.alloc(1 + this.#random.below(limit), this.#random.below(256));
    for (let at = 0; at < bytes.length; at += 61) bytes[at] = this.#random.below(256);
    return bytes;
  }

  async #store(owned: Owned[]): Promise<void> {
    const content = this.#bytes();
    const isAppender = this.#random.below(5) === 0;
    const id = await (isAppender
      ? this.#client.uploadAppender(content, { extension })
      : this.#client.upload(content, { extension }));
    this.#own(owned, { id, kind: isAppender ? "appender" : "plain" }, content);
  }

  async #derive(owned: Owned[], master: Owned): Promise<void> {
    if (master.known.kind !== "plain") return;
    const content = this.#bytes();
    const prefix = `_${this.#random.below(1e6)}`;
    const id = await this.#client.uploadSlave(master.known.id, content, { prefix, extension });
    this.#own(owned, { id, kind: "slave" }, content);
  }

  #own(owned: Owned[], { id, kind }: Pick<KnownFile, "id" | "kind">, content: Buffer): void {
    const known = { id, kind, contents: [sha256(content)], metadata: [undefined] };
    this.files.set(id, known);
    owned.push({ known, content: kind === "appender" ? content : Buffer.alloc(0) });
    this.acknowledged += 1;
  }

  async #read({ known }: Owned): Promise<void> {
    const found = await this.#client.downloadBytes(known.id);
    // Whoever has not got the last change yet is not wrong.
    if (known.kind === "appender" || known.contents.includes(sha256(found))) return;
    this.wrong.push(`${known.id}: ${found.length} bytes that were never stored`);
  }

  async #remove(owned: Owned[], file: Owned): Promise<void> {
    const { known } = file;
    drop(owned, file);
    known.contents = [...known.contents, undefined];
    known.metadata = [...known.metadata, undefined];
    await this.#client.remove(known.id);
    known.contents = [undefined];
    known.metadata = [undefined];
    this.acknowledged += 1;
  }

  /** Once a file: who has which version of it is not asked. */
  async #describe(owned: Owned[], file: Owned): Promise<void> {
    const { known } = file;
    if (known.metadata[0] !== undefined || !(await this.#isEverywhere(known.id))) return;
    const value = String(this.#random.below(1e9));
    known.metadata = [undefined, value];
    await this.#asking(owned, file, () => this.#client.setMetadata(known.id, [["key", value]]));
    known.metadata = [value];
  }

  async #change(owned: Owned[], file: Owned): Promise<void> {
    const { known, content } = file;
    const { id } = known;
    if (!(await this.#isEverywhere(id, content.length))) return;
    const piece = this.#bytes();
    const kind = this.#random.below(3);
    // Each change makes another size, by which it is known.
    if (kind === 0) {
      const after = content.subarray(0, this.#random.below(content.length));
      if (after.length === 0) return;
      await this.#changing(owned, { file, after }, () => this.#client.truncate(id, after.length));
    } else if (kind === 1) {
      const after = Buffer.concat([content, piece]);
      await this.#changing(owned, { file, after }, () => this.#client.append(id, piece));
    } else {
      const offset = this.#random.below(content.length + 1);
      if (offset + piece.length <= content.length) return;
      const after = Buffer.concat([content.subarray(0, offset), piece]);
      await this.#changing(owned, { file, after }, () =>
        this.#client.modify(id, piece, { offset }),
      );
    }
  }

  async #changing(
    owned: Owned[],
    { file, after }: { readonly file: Owned; readonly after: Buffer },
    act: () => Promise<void>,
  ): Promise<void> {
    const { known } = file;
    known.contents = [...known.contents, sha256(after)];
    await this.#asking(owned, file, act);
    file.content = after;
    known.contents = [sha256(after)];
  }

  /** Whose last request was not answered is left alone from then on. */
  async #asking(owned: Owned[], file: Owned, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.acknowledged += 1;
    } catch (error) {
      drop(owned, file);
      throw error;
    }
  }

  async #isEverywhere(id: string, size?: number): Promise<boolean> {
    const name = id.slice(id.indexOf("/") + 1);
    for (const node of this.#nodes) {
      if (!node.isRunning) return false;
      try {
        const caller = await node.caller();
        try {
          const { fileSize } = await caller.info(name);
          if (size !== undefined && fileSize !== size) return false;
        } finally {
          caller.close();
        }
      } catch {
        return false;
      }
    }
    return true;
  }
}

function drop(owned: Owned[], file: Owned): void {
  const at = owned.indexOf(file);
  if (at >= 0) owned.splice(at, 1);
}
