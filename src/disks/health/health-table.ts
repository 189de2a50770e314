/**
 * What is kept of each disk's health, by an identity that the disk carries itself, and of each kind of bridge. What an older or newer
 * release wrote and this one does not understand is as if it were not there. Main thread.
 */
import { hasCode } from "#base/app-error.ts";
import { readShape, type Shape } from "#base/schema.ts";
import { type Sample, samplesShape } from "#disks/health/trend.ts";
import { freshJudgement } from "#disks/health/verdict.ts";
import type { BridgeMemory, BridgeNote } from "#disks/smart/bridge-memory.ts";
import { maxRememberedBridges } from "#disks/smart/limits.ts";
import { isSmartDeviceType } from "#disks/smart/smartctl-arguments.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { type DiskJudgement, diskJudgement } from "#model/disk-verdict.ts";
import { type SmartFacts, smartFacts } from "#model/smart-facts.ts";
import type { Database, SqlRow, Statement } from "#platform/databases.ts";

/** Disks of the past among them. */
export const maxRememberedDisks = 256;

export interface HealthRecord {
  /** Unix seconds, here and below. */
  readonly seenAt: number;
  readonly smart: { readonly at: number; readonly facts: SmartFacts } | undefined;
  readonly samples: readonly Sample[];
  readonly judgement: DiskJudgement;
  /** When we began a self-test last. */
  readonly shortTestAt: number | undefined;
  readonly longTestAt: number | undefined;
}

export function freshRecord(nowSeconds: number): HealthRecord {
  return {
    seenAt: nowSeconds,
    smart: undefined,
    samples: [],
    judgement: freshJudgement(nowSeconds),
    shortTestAt: undefined,
    longTestAt: undefined,
  };
}

/**
 * Under which name a disk's health is kept: its world wide name, or model and serial. Undefined where only its SMART data will tell, as
 * behind bridges that hide the serial, and there until these were read.
 */
export function healthKey(
  disk: Pick<DiskFacts, "wwn" | "model" | "serial" | "bridge">,
  smart: Pick<SmartFacts, "model" | "serial"> | undefined,
): string | undefined {
  const hides = disk.bridge?.hidesSerial === true;
  if (disk.wwn !== undefined && !hides) return `wwn:${disk.wwn}`.toLowerCase();
  if (smart?.serial !== undefined) return `serial:${smart.model ?? ""}/${smart.serial}`;
  if (hides || disk.serial === undefined) return undefined;
  return `serial:${disk.model ?? ""}/${disk.serial}`;
}

export interface HealthMemory {
  read(disk: string): HealthRecord | undefined;
  write(disk: string, record: HealthRecord): void;
}

export class HealthTable implements HealthMemory, BridgeMemory {
  readonly #database: Database;
  readonly #select: Statement;
  readonly #upsert: Statement;
  readonly #forget: Statement;
  readonly #selectBridge: Statement;
  readonly #upsertBridge: Statement;
  readonly #forgetBridges: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#select = database.prepare("SELECT * FROM disk_health WHERE disk = ?");
    this.#upsert = database.prepare(`
      INSERT OR REPLACE INTO disk_health
        (disk, seen_at, smart_at, smart, samples, judgement, short_test_at, long_test_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#forget = database.prepare(`
      DELETE FROM disk_health WHERE disk IN
        (SELECT disk FROM disk_health ORDER BY seen_at DESC LIMIT -1 OFFSET ${maxRememberedDisks})`);
    this.#selectBridge = database.prepare("SELECT * FROM disk_bridges WHERE bridge = ?");
    this.#upsertBridge = database.prepare(
      "INSERT OR REPLACE INTO disk_bridges (bridge, type, hung, tried_at) VALUES (?, ?, ?, ?)",
    );
    this.#forgetBridges = database.prepare(`
      DELETE FROM disk_bridges WHERE bridge IN (SELECT bridge FROM disk_bridges
        ORDER BY tried_at DESC LIMIT -1 OFFSET ${maxRememberedBridges})`);
  }

  read(disk: string): HealthRecord | undefined {
    const row = this.#select.get(disk);
    if (row === undefined) return undefined;
    const seenAt = secondsOf(row, "seen_at") ?? 0;
    const facts = stored(smartFacts, row.smart);
    const smartAt = secondsOf(row, "smart_at");
    return {
      seenAt,
      smart: facts === undefined || smartAt === undefined ? undefined : { at: smartAt, facts },
      samples: stored(samplesShape, row.samples) ?? [],
      judgement: stored(diskJudgement, row.judgement) ?? freshJudgement(seenAt),
      shortTestAt: secondsOf(row, "short_test_at"),
      longTestAt: secondsOf(row, "long_test_at"),
    };
  }

  write(disk: string, record: HealthRecord): void {
    const { seenAt, smart, samples, judgement, shortTestAt, longTestAt } = record;
    this.#database.transaction("relaxed", () => {
      this.#upsert.run(
        ...([disk, seenAt, smart?.at ?? null] as const),
        smart === undefined ? null : JSON.stringify(smart.facts),
        ...([JSON.stringify(samples), JSON.stringify(judgement)] as const),
        ...([shortTestAt ?? null, longTestAt ?? null] as const),
      );
      this.#forget.run();
    });
  }

  of(bridge: string): BridgeNote | undefined {
    const row = this.#selectBridge.get(bridge);
    if (row === undefined) return undefined;
    const type = String(row.type ?? "");
    return {
      type: isSmartDeviceType(type) ? type : undefined,
      hung: String(row.hung).split(" ").filter(isSmartDeviceType),
      triedAt: secondsOf(row, "tried_at") ?? 0,
    };
  }

  note(bridge: string, { type, hung, triedAt }: BridgeNote): void {
    this.#database.transaction("relaxed", () => {
      this.#upsertBridge.run(bridge, type ?? null, hung.join(" "), triedAt);
      this.#forgetBridges.run();
    });
  }
}

function secondsOf(row: SqlRow, column: string): number | undefined {
  const value = row[column];
  return typeof value === "number" ? value : undefined;
}

function stored<T>(shape: Shape<T>, text: unknown): T | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return readShape(shape, JSON.parse(text), { what: "health", surplus: "drop" });
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, "shape-mismatch")) return undefined;
    throw error;
  }
}
