/**
 * Scrubs of a storage: begins them when they are due, and brings back what they find. A damaged file is set aside by its store path's worker,
 * then had from a peer whose copy has the right CRC-32, with patience where none can be asked; where no peer has it, it is called lost, and
 * looked for now and then all the same. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { slotKey } from "#filestore/inventory/inventory-entry.ts";
import { placeOfName } from "#filestore/scrub/damaged-place.ts";
import type { DamagedFile, ScrubOrder, ScrubReport } from "#filestore/scrub/scrub-report.ts";
import type { StoreScrubs } from "#filestore/store-scrubs.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import { formatRemoteFilename } from "#model/remote-filename.ts";
import { type Clock, nowSeconds, type Timer } from "#platform/clock.ts";
import type { FetchResult } from "#sync/file-fetcher.ts";

export interface ScrubSettings {
  /** From the begin of one run to that of the next; 0: only when asked. */
  readonly periodMs: number;
  /** Bytes a second at most, of each store path; 0: as fast as the disk. */
  readonly rateBytes: number;
  /** Of the time, in percent, while others wait for the disk. */
  readonly busyShare: number;
}

/** Where nothing else is set. */
export const scrubbedWhenAsked: ScrubSettings = { periodMs: 0, rateBytes: 0, busyShare: 3 };

export interface ScrubPartParts {
  readonly settings: ScrubSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: {
    readonly scrubs: StoreScrubs;
    readonly inventories: {
      readonly served: readonly number[];
      of(
        index: number,
      ): { search(keys: readonly string[]): Promise<readonly SearchAnswer[]> } | undefined;
    };
    mayReadInBackground(index: number): boolean;
  };
  /** A copy with this CRC-32, from any peer; false where there is none. */
  readonly copyOf: (name: string, crc32: number) => Promise<boolean>;
  /** Whatever good copy there is. */
  readonly restore: (name: string) => Promise<FetchResult>;
}

export interface PathScrub extends ScrubReport {
  readonly storePath: number;
  /** Unix seconds; 0 where none is planned. */
  readonly nextAt: number;
}

const lookPeriodMs = 1000;
/** Of a path where nothing goes on. */
const restPeriodMs = 10_000;
/** After the start, and at most so many at a time by themselves. */
const firstMs = 60 * 60_000;
const maxAtATime = 2;
const firstRetryMs = 60_000;
const maxRetryMs = 60 * 60_000;
/** Of what no peer had. */
const lostRetryMs = 6 * 60 * 60_000;
/** Files that are looked after in one look. */
const healsALook = 16;
const daySeconds = 86_400;

interface Retry {
  atMs: number;
  pauseMs: number;
}

export class ScrubPart {
  readonly #parts: ScrubPartParts;
  readonly #reports = new Map<number, { readonly report: ScrubReport; readonly atMs: number }>();
  readonly #retries = new Map<string, Retry>();
  /** Names that are set aside, and may be elsewhere. */
  readonly #aside = new Set<string>();
  readonly #startedMs: number;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: ScrubPartParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
  }

  start(): void {
    const { clock, log } = this.#parts;
    this.#timer = clock.every(lookPeriodMs, () => {
      if (this.#looking !== undefined || this.#stopped) return;
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
      });
      ignore(this.#looking, log, "the next look does it again");
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking?.catch(() => undefined);
  }

  /** As of the last look, at most some seconds ago. */
  get snapshot(): readonly PathScrub[] {
    const { settings, clock } = this.#parts;
    const now = nowSeconds(clock);
    return [...this.#reports]
      .sort(([one], [other]) => one - other)
      .map(([storePath, { report }]) => {
        const due = report.begunAt + Math.ceil(settings.periodMs / 1000);
        const nextAt = settings.periodMs === 0 || report.state !== "idle" ? 0 : Math.max(now, due);
        return { ...report, storePath, nextAt };
      });
  }

  /** This file is not in its place because it was damaged: it is worth looking for elsewhere. */
  isAside(name: string): boolean {
    return this.#aside.has(name);
  }

  /** How many store paths it changed anything for. Rejects with `AppError<FileStoreErrorCode>`. */
  async order(order: ScrubOrder, storePath: number | undefined): Promise<number> {
    const { store, settings } = this.#parts;
    let changed = 0;
    for (const index of store.inventories.served) {
      if (storePath !== undefined && storePath !== index) continue;
      if (await store.scrubs.order(index, order, settings)) changed += 1;
      await this.#read(index);
    }
    return changed;
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    const served = store.inventories.served;
    for (const index of [...this.#reports.keys()]) {
      if (!served.includes(index)) this.#reports.delete(index);
    }
    for (const index of served) {
      const known = this.#reports.get(index);
      const isBusy = known === undefined || this.#isBusy(index, known.report);
      const sinceMs = clock.monotonicMs() - (known?.atMs ?? Number.NEGATIVE_INFINITY);
      if (!isBusy && sinceMs < restPeriodMs) continue;
      const report = await this.#read(index);
      if (report === undefined || this.#stopped) continue;
      if (this.#isDue(index, report)) await this.#begin(index);
      await this.#healAll(index, report);
    }
  }

  #isBusy(index: number, { state, damaged }: ScrubReport): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    const isDue = ({ place }: DamagedFile): boolean =>
      (this.#retries.get(`${index}/${place}`)?.atMs ?? nowMs) <= nowMs;
    return state === "running" || damaged.some(isDue);
  }

  async #read(index: number): Promise<ScrubReport | undefined> {
    const { store, clock, log } = this.#parts;
    try {
      const report = await store.scrubs.report(index);
      if (report === undefined) return undefined;
      this.#reports.set(index, { report, atMs: clock.monotonicMs() });
      for (const file of report.damaged) this.#noteAside(index, file);
      return report;
    } catch (error) {
      log.debug("scrub-unknown", { storePath: index, why: describeError(error) });
      return undefined;
    }
  }

  #noteAside(index: number, { place, state, region }: DamagedFile): void {
    if (region !== undefined || (state !== "aside" && state !== "lost")) return;
    this.#aside.add(nameOf(index, place));
  }

  #isDue(index: number, { state, begunAt }: ScrubReport): boolean {
    const { settings, clock, store } = this.#parts;
    if (settings.periodMs === 0 || state !== "idle") return false;
    if (clock.monotonicMs() - this.#startedMs < Math.min(firstMs, settings.periodMs)) return false;
    const now = nowSeconds(clock);
    // A time to come was noted by a clock that was wrong, or is.
    const isWaiting = begunAt + settings.periodMs / 1000 > now && begunAt < now + daySeconds;
    if (isWaiting) return false;
    const running = [...this.#reports.values()].filter(({ report }) => report.state !== "idle");
    return running.length < maxAtATime && store.mayReadInBackground(index);
  }

  async #begin(index: number): Promise<void> {
    const { store, settings, log } = this.#parts;
    try {
      await store.scrubs.order(index, "start", settings);
      await this.#read(index);
    } catch (error) {
      log.debug("scrub-not-begun", { storePath: index, why: describeError(error) });
    }
  }

  async #healAll(index: number, report: ScrubReport): Promise<void> {
    const { clock, log } = this.#parts;
    let healed = 0;
    for (const file of report.damaged) {
      const key = `${index}/${file.place}`;
      const retry = this.#retries.get(key);
      if (retry !== undefined && retry.atMs > clock.monotonicMs()) continue;
      if (healed >= healsALook || this.#stopped) return;
      healed += 1;
      const how = await this.#heal(index, file).catch((error: unknown) => {
        log.warn("damaged-file-not-healed", { file: key, why: describeError(error) });
        return "later" as const;
      });
      this.#plan(key, how);
    }
    if (healed > 0) await this.#read(index);
  }

  #plan(key: string, how: "done" | "later" | "lost"): void {
    if (how === "done") {
      this.#retries.delete(key);
      return;
    }
    const before = this.#retries.get(key)?.pauseMs ?? firstRetryMs / 2;
    const pauseMs = how === "lost" ? lostRetryMs : Math.min(maxRetryMs, before * 2);
    this.#retries.set(key, { atMs: this.#parts.clock.monotonicMs() + pauseMs, pauseMs });
  }

  async #heal(index: number, file: DamagedFile): Promise<"done" | "later" | "lost"> {
    if (file.region !== undefined) return await this.#healRegion(index, file);
    const name = nameOf(index, file.place);
    const wasAside = file.state === "aside" || file.state === "lost";
    if (wasAside && (await this.#isDeleted(index, name))) return this.#end(index, file, "dropped");
    const judgement = await this.#parts.store.scrubs.judge(index, name);
    switch (judgement) {
      case "well":
      case "mended":
        return this.#end(index, file, wasAside ? "healed" : "dropped");
      case "busy":
        return "later";
      case "strange":
        return this.#end(index, file, "dropped");
      case "missing":
        // Deleted in the meantime, where it was not we who took it away.
        if (!wasAside) return this.#end(index, file, "dropped");
        break;
      case "aside":
        this.#tell(name, file);
        this.#aside.add(name);
        break;
      case "kept":
        this.#tell(name, file);
        break;
    }
    return await this.#fetch(index, file, name);
  }

  /** Of a trunk file: by the names that the binlog has for what should be there. */
  async #healRegion(index: number, file: DamagedFile): Promise<"done" | "later" | "lost"> {
    const { log, store } = this.#parts;
    const { scrubs } = store;
    const names = await this.#namesIn(index, file);
    for (const name of names) {
      const judgement = await scrubs.judge(index, name);
      if (judgement === "busy") return "later";
      if (judgement === "mended") {
        this.#tell(name, file);
        log.notice("damaged-file-healed", { name, damage: file.damage });
        return this.#end(index, file, "healed");
      }
      const isOurs = judgement === "aside" || judgement === "kept";
      if (isOurs) {
        this.#tell(name, file);
        await scrubs.settle(index, file.place, "aside");
      }
      const wasAside = file.state !== "found" && judgement === "missing";
      if (!isOurs && !wasAside) continue;
      this.#aside.add(name);
      return await this.#fetch(index, file, name);
    }
    if (file.state !== "found") return file.state === "lost" ? "lost" : "later";
    // It was well, or is nobody's: what has no name is set aside all the same where it can be told to be damaged.
    const judgement = await scrubs.judge(index, file.place);
    if (judgement === "busy") return "later";
    if (judgement !== "aside" && judgement !== "kept") return this.#end(index, file, "dropped");
    this.#tell(`a packed file without a name at ${file.place}`, file);
    await scrubs.settle(index, file.place, "lost");
    return "lost";
  }

  async #namesIn(index: number, { region }: DamagedFile): Promise<readonly string[]> {
    const inventory = this.#parts.store.inventories.of(index);
    if (inventory === undefined || region === undefined) return [];
    const { fileId, offset, before } = region;
    const offsets = before === undefined ? [offset] : [offset, before];
    const slots = await inventory.search(offsets.map((each) => slotKey(fileId, each)));
    const names = slots.flatMap((answer) => (answer.kind === "name" ? [answer.name] : []));
    if (names.length === 0) return [];
    const known = await inventory.search(names);
    return names.filter((_, at) => known[at]?.kind !== "deleted");
  }

  async #isDeleted(index: number, name: string): Promise<boolean> {
    const [answer] = (await this.#parts.store.inventories.of(index)?.search([name])) ?? [];
    return answer?.kind === "deleted";
  }

  async #fetch(index: number, file: DamagedFile, name: string): Promise<"done" | "later" | "lost"> {
    const { copyOf, restore, store, log } = this.#parts;
    const { crc32 } = file;
    // Of what can be changed the very same version first: a peer may be behind.
    const isSame = crc32 !== undefined && (await copyOf(name, crc32).catch(() => false));
    const result = isSame ? "fetched" : await restore(name);
    if (result === "fetched") {
      log.notice("damaged-file-healed", { name, damage: file.damage });
      this.#aside.delete(name);
      // What was kept of a packed file goes by its name.
      if (file.region !== undefined) await store.scrubs.settle(index, placeOfName(name), "healed");
      return this.#end(index, file, "healed");
    }
    if (result === "unknown") return "later";
    if (file.state !== "lost") {
      log.error("damaged-file-lost", { name, damage: file.damage });
      await store.scrubs.settle(index, file.place, "lost");
    }
    return "lost";
  }

  #tell(name: string, { damage, sizeBytes }: DamagedFile): void {
    this.#parts.log.error("damaged-file", { name, damage, sizeBytes });
  }

  async #end(index: number, file: DamagedFile, settlement: "healed" | "dropped"): Promise<"done"> {
    this.#aside.delete(nameOf(index, file.place));
    await this.#parts.store.scrubs.settle(index, file.place, settlement);
    return "done";
  }
}

/** The logical name of the file at `HH/HH/base`. */
function nameOf(index: number, place: string): string {
  const [high = "", low = "", base = ""] = place.split("/");
  return formatRemoteFilename({
    storePathIndex: index,
    high: Number.parseInt(high, 16),
    low: Number.parseInt(low, 16),
    base,
  });
}
