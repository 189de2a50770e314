/**
 * File systems that the kernel made read-only under us, as it does after errors: mounts that could be written when they were seen first, and
 * those that it says it of. The table of mounts alone is not enough: after an error ext4 may stand in it as writable while every write is
 * refused (seen with 6.1.192), and XFS does when it has shut down. Pure but for what it remembers.
 */
import { diskOfDevice } from "#disks/health/kernel-line.ts";

export interface SeenMount {
  /** `/dev/sda1`. */
  readonly source: string;
  readonly point: string;
  readonly readOnly: boolean;
}

const maxTold = 256;

export class ReadOnlyMounts {
  /** By source and place: whether it could be written. */
  #writable = new Set<string>();
  /** By device, whether the table of mounts has shown it as well. */
  readonly #told = new Map<string, boolean>();
  #turned = new Map<string, { readonly source: string; readonly point: string }>();

  look(mounts: readonly SeenMount[]): void {
    const writable = new Set<string>();
    const turned = new Map<string, { readonly source: string; readonly point: string }>();
    this.#forgetEnded(mounts);
    for (const { source, point, readOnly } of mounts) {
      const key = `${source} ${point}`;
      if (!readOnly) writable.add(key);
      const had = readOnly && (this.#writable.has(key) || this.#turned.has(key));
      if (had || this.#told.has(nameOf(source))) turned.set(key, { source, point });
    }
    this.#writable = writable;
    this.#turned = turned;
  }

  /** The kernel said that it made the file system on a device, such as `sda1`, read-only: also before anybody looked. */
  told(device: string): void {
    if (this.#told.size < maxTold) this.#told.set(device, false);
  }

  /** The kernel said that it has mounted a device anew, which is another story. */
  mounted(device: string): void {
    this.#told.delete(device);
  }

  /** Where a file system of this disk was mounted that turned read-only. */
  of(disk: string): string | undefined {
    for (const { source, point } of this.#turned.values()) {
      if (diskOfDevice(nameOf(source), [disk]) !== undefined) return point;
    }
    return undefined;
  }

  /** Who could not be written, and can be now, was mounted anew, and so will be whoever is not mounted at all. */
  #forgetEnded(mounts: readonly SeenMount[]): void {
    const readOnly = new Map(mounts.map((each) => [nameOf(each.source), each.readOnly]));
    for (const [device, wasShown] of this.#told) {
      const isShown = readOnly.get(device);
      if (isShown === undefined || (wasShown && !isShown)) this.#told.delete(device);
      else this.#told.set(device, isShown);
    }
  }
}

function nameOf(source: string): string {
  return source.slice("/dev/".length);
}
