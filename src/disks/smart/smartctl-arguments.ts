/**
 * How smartctl is called: the fixed lists of what may be asked and in which way, for whoever runs it, the root helper included. Nothing
 * that comes from outside is passed on that is not in a list here, but the device's path, which the caller has checked. Pure.
 */

/** smartctl's own names for ways to reach a disk. */
export const smartDeviceTypes = [
  "auto",
  "sat",
  "sat,12",
  "usbjmicron",
  "usbcypress",
  "usbprolific",
  "usbsunplus",
  "sntasmedia",
  "sntjmicron",
  "sntrealtek",
  "scsi",
  "nvme",
] as const;

export type SmartDeviceType = (typeof smartDeviceTypes)[number];

export const smartActions = ["read", "short-test", "long-test", "abort"] as const;

export type SmartAction = (typeof smartActions)[number];

/**
 * What smartctl is asked to end with where the disk sleeps. The flags 1 and 2, not understood and not opened, never come together by
 * themselves.
 */
export const asleepExit = 3;

const orders: Readonly<Record<SmartAction, readonly string[]>> = {
  // A disk that sleeps is asked for its power mode, which does not wake it, and nothing else.
  read: ["-n", `standby,${asleepExit}`, "-a"],
  "short-test": ["-t", "short"],
  "long-test": ["-t", "long"],
  abort: ["-X"],
};

export function isSmartDeviceType(text: string): text is SmartDeviceType {
  return smartDeviceTypes.some((each) => each === text);
}

/** Parameters of `smartctl`; `device` is a path such as `/dev/sda`. */
export function smartctlArguments(
  device: string,
  type: SmartDeviceType,
  action: SmartAction,
): readonly string[] {
  return ["--json=c", "-d", type, ...orders[action], device];
}
