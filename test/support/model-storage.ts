/**
 * One store path of a storage as a comparison sees it, in memory: files by name, slots that hold one file each, and a binlog that may have
 * forgotten some of it. What is asked of it is answered by the same rules as the engine's.
 */
import { crc32 } from "node:zlib";
import { fileStoreError } from "#filestore/errors.ts";
import type { FileFacts } from "#filestore/file-store.ts";
import { agreeHorizons, type Horizons, isSettled } from "#filestore/inventory/horizons.ts";
import {
  factsOfBase,
  formatEntry,
  type InventoryEntry,
  parseSlotKey,
  slotKey,
} from "#filestore/inventory/inventory-entry.ts";
import { fanOut, InventoryTable, leafCount } from "#filestore/inventory/inventory-table.ts";
import type { ReplicaFile } from "#filestore/replica-store.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import { decodeBase, encodedLength, encodedSlotLength, isTrunkBase } from "#model/file-id.ts";
import { type ByteFlow, collect, flowOfBytes } from "#net/byte-flow.ts";
import type { InventoryRepair } from "#protocol/peer/inventory.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import { type InventorySide, wholeListing } from "#sync/anti-entropy/inventory-side.ts";
import type { PeerFile, RepairedStore, RepairPeer } from "#sync/anti-entropy/peer-file.ts";

export interface ModelFile {
  readonly content: string;
  readonly modifiedSeconds: number;
}

type Known = Exclude<SearchAnswer, { kind: "name" }>;

const pageEntries = 3;
const unknown: SearchAnswer = { kind: "unknown" };

export class ModelStorage implements InventorySide, RepairPeer, RepairedStore {
  readonly title: string;
  readonly files = new Map<string, ModelFile>();
  readonly log = new Map<string, Known>();
  /** Who `mend` fetches from. */
  asker: RepairPeer | undefined;
  horizons: Horizons = new Map();
  /** Contents that arrive damaged, by name: so often. */
  readonly damaged = new Map<string, number>();
  readonly #walks: { readonly table: InventoryTable; readonly horizons: Horizons }[] = [];

  constructor(title: string) {
    this.title = title;
  }

  /** Stores a file, as an upload or as replication does. What is in its slot goes. */
  put(name: string, file: ModelFile): void {
    const key = slotOf(name);
    for (const other of this.files.keys()) {
      if (key !== undefined && slotOf(other) === key && other !== name) this.files.delete(other);
    }
    this.files.set(name, file);
    this.log.set(name, { kind: "there" });
  }

  delete(name: string, timestamp: number): void {
    this.files.delete(name);
    this.log.set(name, { kind: "deleted", timestamp });
  }

  /** Inventories that were made of it. */
  get walks(): number {
    return this.#walks.length;
  }

  begin(horizons: Horizons): Promise<{ walk: number; horizons: Horizons }> {
    const agreed = agreeHorizons(horizons, this.horizons);
    const table = new InventoryTable();
    for (const [name] of this.files) {
      const entry = this.#entry(name, agreed);
      if (entry !== undefined) table.add(leafOf(name), formatEntry(entry));
    }
    this.#walks.push({ table, horizons: agreed });
    return Promise.resolve({ walk: this.#walks.length, horizons: agreed });
  }

  tableOf(walk: number): InventoryTable {
    return this.#walks[walk - 1]?.table ?? new InventoryTable();
  }

  nodes(walk: number, upper: number) {
    const table = walk === wholeListing ? this.#counted() : this.tableOf(walk);
    const nodes = Array.from({ length: fanOut }, (_, at) =>
      upper < 0 ? table.upper(at) : table.leaf(upper * fanOut + at),
    );
    return Promise.resolve({ leavesDone: leafCount, files: this.files.size, nodes });
  }

  leaf(walk: number, leaf: number, after: string) {
    const horizons = this.#walks[walk - 1]?.horizons ?? new Map<number, number>();
    const entries = [...this.files.keys()]
      .filter((name) => leafOf(name) === leaf)
      .map((name) => this.#entry(name, horizons))
      .filter((entry) => entry !== undefined && entry.key > after)
      .map((entry) => entry as InventoryEntry)
      .sort((one, other) => (one.key < other.key ? -1 : 1));
    const more = entries.length > pageEntries;
    return Promise.resolve({ entries: entries.slice(0, pageEntries), more });
  }

  search(keys: readonly string[]): Promise<readonly SearchAnswer[]> {
    return Promise.resolve(keys.map((key) => this.#known(key)));
  }

  async fetch<Result>(name: string, use: (file: PeerFile) => Promise<Result>): Promise<Result> {
    const file = this.files.get(name);
    if (file === undefined) throw fileStoreError("file-missing", name);
    const left = this.damaged.get(name) ?? 0;
    this.damaged.set(name, left - 1);
    const content = left > 0 ? file.content.replace(/./, "?") : file.content;
    const body = flowOfBytes(Buffer.from(content));
    return await use({ modifiedSeconds: file.modifiedSeconds, crc32: crc32(file.content), body });
  }

  factsOf(name: string): Promise<FileFacts | undefined> {
    return Promise.resolve(this.#factsOf(name));
  }

  facts(name: string): Promise<FileFacts> {
    const facts = this.#factsOf(name);
    return facts === undefined
      ? Promise.reject(fileStoreError("file-missing", name))
      : Promise.resolve(facts);
  }

  #factsOf(name: string): FileFacts | undefined {
    const file = this.files.get(name);
    if (file === undefined) return undefined;
    const { content, modifiedSeconds } = file;
    return { sizeBytes: content.length, modifiedSeconds, crc32: crc32(content) };
  }

  async storeReplica(file: ReplicaFile, body: ByteFlow): Promise<"done" | "already" | "later"> {
    const content = (await collect(body)).toString();
    if (file.crc32 !== undefined && crc32(content) !== file.crc32) {
      throw Object.assign(new Error("content-damaged"), { code: "content-damaged" });
    }
    const there = this.files.get(file.name);
    const isOlder = there !== undefined && there.modifiedSeconds < file.timestamp;
    if (there?.content === content && !isOlder) return "already";
    if (file.versioned === true && there !== undefined) {
      const [one, other] = [Buffer.from(there.content), Buffer.from(content)];
      const later = there.modifiedSeconds - file.timestamp || one.length - other.length;
      if ((later || Buffer.compare(one, other)) > 0) return "later";
    }
    this.put(file.name, { content, modifiedSeconds: file.timestamp });
    return "done";
  }

  removeReplica({ name, timestamp }: { name: string; timestamp: number }) {
    const outcome = this.files.has(name) ? "done" : "missing";
    this.delete(name, timestamp);
    return Promise.resolve(outcome as "done" | "missing");
  }

  async mend(repairs: readonly InventoryRepair[]): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const { action, name, timestamp } of repairs) {
      if (action === "remove") {
        statuses.push((await this.removeReplica({ name, timestamp })) === "done" ? 0 : 17);
      } else if (this.asker !== undefined) {
        const copied = await fetchCopy(this, [this.asker], { name, timestamp });
        statuses.push(copied.outcome === "stored" ? 0 : 17);
      }
    }
    return statuses;
  }

  #counted(): InventoryTable {
    const table = new InventoryTable();
    for (const name of this.files.keys()) table.add(leafOf(name), "");
    return table;
  }

  #known(key: string): SearchAnswer {
    if (parseSlotKey(key) === undefined) return this.log.get(key) ?? unknown;
    const names = [...this.log.keys()].filter((name) => slotOf(name) === key);
    const held = names.find((name) => this.files.has(name)) ?? names.at(-1);
    return held === undefined ? unknown : { kind: "name", name: held };
  }

  #entry(name: string, horizons: Horizons): InventoryEntry | undefined {
    const base = baseOf(name);
    const facts = factsOfBase(base);
    const file = this.files.get(name);
    if (facts === undefined || file === undefined) return undefined;
    if (!isSettled(horizons, facts.sourceWord, facts.timestamp)) return undefined;
    if (isTrunkBase(base)) return slotEntry(name);
    if (facts.kind === "named") return { kind: "named", key: base };
    const { content, modifiedSeconds } = file;
    return { kind: "stated", key: base, sizeBytes: content.length, modifiedSeconds };
  }
}

function slotEntry(name: string): InventoryEntry | undefined {
  const base = baseOf(name);
  const decoded = decodeBase(base);
  if (decoded?.trunk === undefined) return undefined;
  const { fileId, offset, size: slotSize } = decoded.trunk;
  const { crc32: crc, timestamp, size = 0 } = decoded;
  const key = slotKey(fileId, offset);
  const place = { kind: "slot", key, fileId, offset, slotSize, content: "file" } as const;
  const tail = base.slice(encodedLength + encodedSlotLength);
  return { ...place, sizeBytes: size, crc32: crc, timestamp, tail };
}

function slotOf(name: string): string | undefined {
  const entry = isTrunkBase(baseOf(name)) ? slotEntry(name) : undefined;
  return entry?.key;
}

function leafOf(name: string): number {
  return Number.parseInt(name.slice(4, 6), 16) * fanOut + Number.parseInt(name.slice(7, 9), 16);
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
