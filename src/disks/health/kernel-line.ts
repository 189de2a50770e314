/**
 * Lines of the kernel's log that speak against a disk. The kernel's words are no interface and differ between releases: what is here are
 * the forms of 4.19 to 6.18, and whatever else it says is passed over. Pure.
 */
import { cleanWord } from "#disks/smart/json-fields.ts";

export interface KernelFault {
  /** `attached`: what was said of this name before was about another disk, or an earlier plugging; `mounted`: about an earlier mount. */
  readonly kind: "io-error" | "reset" | "file-system" | "read-only" | "attached" | "mounted";
  /** A disk, a partition of it, or the controller of an NVMe disk: `sda`, `sda1`, `nvme0`. */
  readonly device: string;
  /** The line. */
  readonly words: string;
}

export const maxKernelLineLength = 300;

/** In this order: the first that fits. */
const forms: readonly (readonly [KernelFault["kind"], RegExp])[] = [
  // "blk_update_request: I/O error, dev sda, sector 40000 op 0x0:(READ)", "critical medium error, dev sda, …"
  ["io-error", /(?:I\/O|critical \w+) error, dev (\w+),/],
  ["io-error", /Buffer I\/O error on dev(?:ice)? (\w+),/],
  ["io-error", /\[(sd[a-z]+)\].*\bSynchronize Cache\(\d+\) failed/],
  ["attached", /\[(sd[a-z]+)\] Attached SCSI (?:removable )?disk/],
  ["mounted", /(?:EXT4-fs|F2FS-fs) \((\w+)\): (?:re-)?[Mm]ounted\b/],
  ["mounted", /XFS \((\w+)\): Mounting\b/],
  ["read-only", /EXT4-fs \((\w+)\): Remounting filesystem read-only/],
  ["read-only", /BTRFS \w+ \(device (\w+)(?:: state \w+)?\): forced readonly/],
  ["read-only", /XFS \((\w+)\): .*(?:[Ss]hutting down filesystem|Filesystem has been shut down)/],
  ["read-only", /F2FS-fs \((\w+)\): .*Remounting filesystem read-only/],
  ["file-system", /EXT4-fs (?:error|warning) \(device (\w+)\)/],
  ["file-system", /XFS \((\w+)\): (?:Metadata (?:corruption|CRC error)|.*metadata I\/O error)/],
  ["file-system", /BTRFS (?:error|critical) \(device (\w+)/],
  ["reset", /(nvme\d+): (?:I\/O .*timeout|controller is down|.*resetting controller)/],
  [
    "reset",
    /\[(sd[a-z]+)\].*(?:hostbyte=DID_(?:NO_CONNECT|BAD_TARGET|TIME_OUT|RESET)|Device offlined)/,
  ],
];

/** Undefined where it is about something else. */
export function parseKernelLine(line: string): KernelFault | undefined {
  const words = cleanWord(line, maxKernelLineLength);
  for (const [kind, form] of forms) {
    const device = form.exec(words)?.[1];
    if (device !== undefined) return { kind, device, words };
  }
  return undefined;
}

/** Which of `disks` a device of a line is, or lies on. */
export function diskOfDevice(device: string, disks: readonly string[]): string | undefined {
  const exact = disks.find((disk) => disk === device);
  if (exact !== undefined) return exact;
  return disks.find((disk) => {
    if (!device.startsWith(disk)) {
      // A controller with one namespace, as NVMe disks in boxes are.
      return /^nvme\d+$/.test(device) && new RegExp(`^${device}n\\d+$`).test(disk);
    }
    const rest = device.slice(disk.length);
    return /\d$/.test(disk) ? /^p\d+$/.test(rest) : /^\d+$/.test(rest);
  });
}
