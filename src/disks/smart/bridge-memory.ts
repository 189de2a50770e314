/** In which way each kind of USB bridge lets the disk behind it be asked, once it was found out. */
import type { SmartDeviceType } from "#disks/smart/smartctl-arguments.ts";
import type { DiskFacts } from "#model/disk-facts.ts";

export interface BridgeNote {
  /** Undefined where none of the ways worked. */
  readonly type: SmartDeviceType | undefined;
  /** Ways at which smartctl did not come back: never tried again. */
  readonly hung: readonly SmartDeviceType[];
  /** Unix seconds. */
  readonly triedAt: number;
}

export interface BridgeMemory {
  of(bridge: string): BridgeNote | undefined;
  note(bridge: string, note: BridgeNote): void;
}

/** What is remembered is true for all bridges of the same kind. Undefined where the disk hangs on none. */
export function bridgeKey({ bus, bridge }: Pick<DiskFacts, "bus" | "bridge">): string | undefined {
  if (bus !== "usb" || bridge === undefined) return undefined;
  return `usb:${bridge.vendorId}:${bridge.productId}`.toLowerCase();
}
