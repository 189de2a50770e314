/**
 * What `udevadm monitor --property` prints: for each event a line that begins with `KERNEL` or `UDEV`, its properties, and an empty line.
 * Only the names of devices are taken from it. Pure.
 */

/** A line that is longer is of no event. */
const maxLineCharacters = 8192;

export class UdevMonitorLines {
  readonly #onDevice: (name: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(onDevice: (name: string) => void) {
    this.#onDevice = onDevice;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, maxLineCharacters);
    for (const line of lines) {
      const name = /^DEVNAME=(?:\/dev\/)?([A-Za-z0-9_.-]{1,64})$/.exec(line)?.[1];
      if (name !== undefined) this.#onDevice(name);
    }
  }
}
