/** The health of simulated disks: what they answer, what was looked at and the time are the test's. */
import { DiskActivity } from "#disks/activity.ts";
import { DiskHealth, type DiskHealthParts } from "#disks/health/disk-health.ts";
import type { HealthLook } from "#disks/health/health-look.ts";
import type { HealthRecord } from "#disks/health/health-table.ts";
import type { PathOfDisk } from "#disks/health/path-faults.ts";
import type { SmartctlEnd } from "#disks/smart/read-smartctl.ts";
import { SmartInquiry } from "#disks/smart/smart-inquiry.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { collectedLog } from "./frame-fixture.ts";
import { ManualClock } from "./manual-clock.ts";
import { smartVector } from "./smart-vectors.ts";

export const hourMs = 3600_000;

export function healthDisk(name: string, differs: Partial<DiskFacts> = {}): DiskFacts {
  const mount = { type: "ext4", readOnly: false, totalBytes: 1, freeBytes: 1 };
  return {
    name,
    sequence: 1,
    bus: "sata",
    port: undefined,
    bridge: undefined,
    vendor: undefined,
    model: "WD",
    serial: `S-${name}`,
    wwn: undefined,
    sizeBytes: 4e12,
    logicalSectorBytes: 512,
    physicalSectorBytes: 4096,
    rotational: true,
    removable: false,
    readOnly: false,
    temperatureCelsius: undefined,
    spinning: undefined,
    signatures: [],
    partitions: [],
    mounts: [{ point: `/srv/${name}`, ...mount }],
    ofSystem: false,
    problems: [],
    ...differs,
  };
}

export function healthPath(
  index: number,
  directory: string,
  differs: Partial<PathOfDisk> = {},
): PathOfDisk {
  const counts = {
    ...{ quarantines: 0, abandoned: 0, failedRequests: 0 },
    ...{ scrubBegunAt: 0, unreadableFiles: 0, rottenFiles: 0, unsteadyFiles: 0 },
  };
  return { index, directory, unserved: false, ...counts, ...differs };
}

export class DiskHealthStage {
  readonly clock = new ManualClock();
  readonly log = collectedLog();
  /** What each disk answers: the name of a vector. */
  readonly answers: Record<string, string> = {};
  /** Disk and action of each call of smartctl, in order. */
  readonly asked: string[] = [];
  disks: DiskFacts[];
  paths: PathOfDisk[] = [];
  recovering = false;
  readonly kept: Map<string, HealthRecord>;
  readonly activity = new DiskActivity(this.clock);
  readonly health: DiskHealth;
  /** What smartctl waits for before it answers. */
  hold: Promise<void> | undefined;
  #reads = 0;

  constructor(
    names: readonly string[],
    options: {
      readonly all?: boolean;
      readonly kept?: Map<string, HealthRecord>;
      readonly settings?: Partial<DiskHealthParts["settings"]>;
    } = {},
  ) {
    this.disks = names.map((name) => healthDisk(name));
    this.kept = options.kept ?? new Map();
    this.health = new DiskHealth({
      ...{ clock: this.clock, log: this.log.log, activity: this.activity },
      inquiry: new SmartInquiry({
        reader: { run: (disk, _, action) => this.#run(disk.name, action) },
        bridges: { of: () => undefined, note: () => {} },
        clock: this.clock,
        log: this.log.log,
      }),
      memory: {
        read: (disk) => this.kept.get(disk),
        write: (disk, record) => void this.kept.set(disk, record),
      },
      disks: () => this.disks,
      all: options.all ?? true,
      paths: () => this.paths,
      latencyOf: () => undefined,
      recovering: () => this.recovering,
      settings: { smartMs: hourMs, shortTestMs: 0, longTestMs: 0, ...options.settings },
    });
  }

  async #run(name: string, action: string): Promise<SmartctlEnd> {
    this.asked.push(action === "read" ? name : `${name} ${action}`);
    await this.hold;
    return smartVector(
      this.answers[name] ?? (action === "read" ? "documented-ata-healthy" : "qemu-sata-short-test"),
    );
  }

  /** A look at everything, in which `used` disks were read from. */
  look(differs: Partial<HealthLook> & { readonly used?: readonly string[] } = {}): void {
    const { used = [], ...given } = differs;
    this.#reads += 1;
    const zeros = { readMs: 0, writes: 0, writeMs: 0, flushes: 0, flushMs: 0, inFlight: 0 };
    const counters = this.disks.map(({ name, sequence }) => {
      const reads = used.includes(name) ? this.#reads : (this.#last.get(name) ?? 0);
      this.#last.set(name, reads);
      return { name, sequence, ...zeros, reads, suspended: false };
    });
    this.health.take({ counters, mounts: [], faults: [], hearsKernel: true, ...given });
  }

  readonly #last = new Map<string, number>();

  /** Lets time pass in turns of ten seconds, and everything that follows happen. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    for (;;) {
      this.health.turn();
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      const left = end - this.clock.monotonicMs();
      if (left <= 0) return;
      this.clock.advance(Math.min(left, 10_000));
    }
  }

  verdictOf(name: string): string | undefined {
    return this.health.reportOf(name)?.judgement.verdict;
  }
}
