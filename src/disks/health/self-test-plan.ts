/**
 * Which disk is to test itself next. A self-test reads within the disk while it serves, more slowly; so never two at once, never while a
 * store path is being filled from peers, and a disk that sleeps is not woken for it. Pure.
 */
import type { DiskVerdict } from "#model/disk-verdict.ts";
import type { SelfTestResult, SmartFacts } from "#model/smart-facts.ts";

export interface TestedDisk {
  readonly name: string;
  readonly awake: boolean;
  readonly verdict: DiskVerdict;
  readonly smart: SmartFacts | undefined;
  /** Unix seconds when we began one last. */
  readonly shortTestAt: number | undefined;
  readonly longTestAt: number | undefined;
}

export interface SelfTestSettings {
  /** Between two; 0 is never. */
  readonly shortTestMs: number;
  readonly longTestMs: number;
}

export interface SelfTest {
  readonly name: string;
  readonly kind: "short" | "long";
}

/** Undefined where nothing is to be done now. `recovering`: a store path of this node is being filled. */
export function nextSelfTest(
  disks: readonly TestedDisk[],
  settings: SelfTestSettings,
  now: { readonly seconds: number; readonly recovering: boolean },
): SelfTest | undefined {
  const running = disks.some(({ smart }) => smart?.selfTestRemainingPercent !== undefined);
  if (running || now.recovering) return undefined;
  const able = disks.filter(({ awake, verdict, smart }) => {
    return awake && verdict !== "failed" && smart !== undefined;
  });
  const due = (["long", "short"] as const).flatMap((kind) =>
    able
      .map((disk) => ({
        name: disk.name,
        kind,
        overdue: overdueSeconds(disk, kind, { settings, now }),
      }))
      .filter(({ overdue }) => overdue >= 0)
      .sort((one, other) => other.overdue - one.overdue),
  );
  const [first] = due;
  return first === undefined ? undefined : { name: first.name, kind: first.kind };
}

/** Negative where it is not due; the longest wait comes first. */
function overdueSeconds(
  disk: TestedDisk,
  kind: "short" | "long",
  at: { readonly settings: SelfTestSettings; readonly now: { readonly seconds: number } },
): number {
  const periodMs = kind === "long" ? at.settings.longTestMs : at.settings.shortTestMs;
  if (periodMs === 0) return -1;
  const ages = [ageOf(disk, kind, at.now.seconds)];
  // A long one looks at more than a short one does.
  if (kind === "short") ages.push(ageOf(disk, "long", at.now.seconds));
  return Math.min(...ages) - periodMs / 1000;
}

/** Seconds since the last one, of ours or, by the disk's own log, of anybody; infinite where there was none. */
function ageOf(disk: TestedDisk, kind: SelfTestResult["kind"], nowSeconds: number): number {
  const ownAt = kind === "long" ? disk.longTestAt : disk.shortTestAt;
  // A clock that was set back makes none of the future.
  const own = ownAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, nowSeconds - ownAt);
  const logged = disk.smart?.selfTests.find((each) => {
    return each.kind === kind && (each.result === "passed" || each.result === "failed");
  });
  const { powerOnHours } = disk.smart ?? {};
  if (logged?.atHours === undefined || powerOnHours === undefined) return own;
  // The hour is one of 16 bits in ATA's log.
  const hours = (powerOnHours - logged.atHours) % 65_536;
  return hours < 0 ? own : Math.min(own, hours * 3600);
}
