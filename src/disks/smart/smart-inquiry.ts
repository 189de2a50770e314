/**
 * Asks disks for their health, in the way that was found to work for their kind. At a bridge that nobody knows the ways of a short list are
 * tried one after the other; at one that hung they never are again. A disk that sleeps is not woken. One question at a time: the caller
 * waits for each. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type BridgeMemory, type BridgeNote, bridgeKey } from "#disks/smart/bridge-memory.ts";
import { candidateTypes } from "#disks/smart/device-types.ts";
import { cleanWord } from "#disks/smart/json-fields.ts";
import { maxReasonLength } from "#disks/smart/limits.ts";
import { readRefusal, readSmartctl, type SmartReading } from "#disks/smart/read-smartctl.ts";
import type { SmartReader } from "#disks/smart/smart-reader.ts";
import type { SmartAction, SmartDeviceType } from "#disks/smart/smartctl-arguments.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";

export type AskedDisk = Pick<DiskFacts, "name" | "sequence" | "bus" | "bridge">;

/** A bridge that understood nothing is tried again so much later: smartctl may have been updated. */
const tryAgainSeconds = 7 * 24 * 3600;
/** Disks on other buses, whose way is found out anew at each start. */
const maxPluggings = 256;

export interface InquiryParts {
  readonly reader: SmartReader;
  readonly bridges: BridgeMemory;
  readonly clock: Clock;
  readonly log: Log;
}

export class SmartInquiry {
  readonly #parts: InquiryParts;
  /** Of disks that hang on no bridge, by plugging. */
  readonly #types = new Map<string, SmartDeviceType>();

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** Whether there is a way that is known to work: the disk can be asked whether it sleeps. */
  canAsk(disk: AskedDisk): boolean {
    return this.#knownType(disk) !== undefined;
  }

  /** Never rejects. */
  async ask(disk: AskedDisk): Promise<SmartReading> {
    const known = this.#knownType(disk);
    if (known !== undefined) {
      const reading = await this.#read(disk, known);
      const isOther = reading.state === "refused" && reading.cause === "not-understood";
      if (!isOther) return reading;
      // Docks take SATA and NVMe disks in turn.
    }
    return await this.#findOut(disk, known);
  }

  /** Begins or ends a self-test. Resolves to why it was not done, in words; undefined where it was. Never rejects. */
  async order(disk: AskedDisk, action: Exclude<SmartAction, "read">): Promise<string | undefined> {
    const type = this.#knownType(disk);
    if (type === undefined) return "the disk does not let itself be asked";
    try {
      const refusal = readRefusal(await this.#parts.reader.run(disk, type, action));
      return refusal === undefined ? undefined : cleanWord(refusal, maxReasonLength);
    } catch (error) {
      return cleanWord(describeError(error), maxReasonLength);
    }
  }

  #knownType(disk: AskedDisk): SmartDeviceType | undefined {
    const bridge = bridgeKey(disk);
    return bridge === undefined
      ? this.#types.get(pluggingOf(disk))
      : this.#parts.bridges.of(bridge)?.type;
  }

  async #findOut(disk: AskedDisk, notThis: SmartDeviceType | undefined): Promise<SmartReading> {
    const bridge = bridgeKey(disk);
    const note = bridge === undefined ? undefined : this.#parts.bridges.of(bridge);
    const hopeless = notThis === undefined && note !== undefined && note.type === undefined;
    const now = nowSeconds(this.#parts.clock);
    if (hopeless && Math.abs(now - note.triedAt) < tryAgainSeconds) return noWay;
    const hung = note?.hung ?? [];
    const candidates = candidateTypes(disk.bus, disk.bridge);
    for (const type of candidates) {
      if (hung.includes(type) || type === notThis) continue;
      const reading = await this.#read(disk, type);
      if (reading.state === "read") {
        this.#remember(disk, { type, hung, triedAt: now });
        return reading;
      }
      // Not proven by that, but nothing is to be gained by waking it.
      if (reading.state === "asleep" && reading.depth === "standby") return reading;
      if (reading.state === "refused" && reading.cause === "hung") {
        this.#remember(disk, { type: undefined, hung: [...hung, type], triedAt: now });
        return reading;
      }
      if (reading.state === "refused" && reading.cause !== "not-understood") {
        if (reading.cause !== "bridge-unknown") return reading;
      }
    }
    if (candidates.length === 0) return noSmart;
    if (notThis === undefined) this.#remember(disk, { type: undefined, hung, triedAt: now });
    return noWay;
  }

  async #read(disk: AskedDisk, type: SmartDeviceType): Promise<SmartReading> {
    try {
      return readSmartctl(await this.#parts.reader.run(disk, type, "read"));
    } catch (error) {
      const why = cleanWord(describeError(error), maxReasonLength);
      const cause = hasCode(error, "command-hung") ? "hung" : "not-opened";
      return { state: "refused", cause, why };
    }
  }

  #remember(disk: AskedDisk, note: BridgeNote): void {
    const bridge = bridgeKey(disk);
    const { log, bridges } = this.#parts;
    const { name } = disk;
    log.info("smart-way-found", { disk: name, bridge, type: note.type, hung: note.hung.join(" ") });
    if (bridge !== undefined) {
      bridges.note(bridge, note);
      return;
    }
    if (note.type === undefined) return;
    if (this.#types.size >= maxPluggings) this.#types.clear();
    this.#types.set(pluggingOf(disk), note.type);
  }
}

const noWay: SmartReading = {
  state: "refused",
  cause: "not-understood",
  why: "neither disk nor bridge understands any of the known ways to ask",
};

const noSmart: SmartReading = {
  state: "refused",
  cause: "not-understood",
  why: "disks of this kind do not tell of their health",
};

function pluggingOf({ name, sequence }: AskedDisk): string {
  return `${name}#${sequence ?? ""}`;
}
