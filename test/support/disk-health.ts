/** Builders of what a disk is judged by. */
import { type HealthFacts, noFaults, type ObservedFaults } from "#disks/health/health-facts.ts";
import type { SmartFacts } from "#model/smart-facts.ts";

/** A SATA disk without a blemish, but for what is given. */
export function smartOf(differs: Partial<SmartFacts> = {}): SmartFacts {
  return {
    protocol: "ata",
    passed: true,
    powerOnHours: 1000,
    temperatureCelsius: 35,
    reallocated: 0,
    uncorrectable: 0,
    timeouts: 0,
    pending: 0,
    offlineUncorrectable: 0,
    transferErrors: 0,
    warnings: [],
    attributes: [],
    selfTests: [],
    ...differs,
  };
}

export interface HealthDiffers extends Partial<Omit<HealthFacts, "smart" | "faults">> {
  readonly smart?: Partial<SmartFacts>;
  readonly faults?: Partial<ObservedFaults>;
}

export function healthOf({ smart, faults, ...differs }: HealthDiffers = {}): HealthFacts {
  return {
    rotational: true,
    sizeBytes: 4_000_787_030_016,
    growth: {},
    latency: undefined,
    ...differs,
    smart: smartOf(smart),
    faults: { ...noFaults, ...faults },
  };
}
