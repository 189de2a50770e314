/** Block devices through `node:fs/promises`. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { BlockDevices, DeviceOpenMode, OpenBlockDevice } from "#platform/block-devices.ts";
import { FileError } from "#platform/files.ts";
import { fileError } from "#platform/node/node-files.ts";

const { O_RDONLY, O_RDWR, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** On block devices O_EXCL without O_CREAT is the kernel's exclusive claim. */
const flags: Readonly<Record<DeviceOpenMode, number>> = {
  look: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  "look-alone": O_RDONLY | O_EXCL | O_NOFOLLOW | O_NONBLOCK,
  claim: O_RDWR | O_EXCL | O_NOFOLLOW,
};

export const nodeBlockDevices: BlockDevices = {
  open: async (path, mode) => {
    const handle = await guarded(path, () => open(path, flags[mode]));
    try {
      const stats = await handle.stat();
      if (!stats.isBlockDevice()) {
        throw new FileError("ENOTBLK", `ENOTBLK: ${path} is no block device`, path);
      }
      return new NodeBlockDevice(path, handle, stats.rdev);
    } catch (error) {
      await handle.close();
      throw fileError(error, path);
    }
  },
};

class NodeBlockDevice implements OpenBlockDevice {
  readonly major: number;
  readonly minor: number;
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle, number: number) {
    this.#path = path;
    this.#handle = handle;
    // As glibc's `gnu_dev_major` and `gnu_dev_minor`; 12 and 20 bits are all that Linux uses.
    this.major = (number >>> 8) & 0xfff;
    this.minor = (number & 0xff) | ((number >>> 12) & 0xfff00);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return guarded(this.#path, async () => {
      let done = 0;
      while (done < target.length) {
        const rest = target.length - done;
        const { bytesRead } = await this.#handle.read(target, done, rest, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return guarded(this.#path, async () => {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.length - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, rest, position + done);
        done += bytesWritten;
      }
    });
  }

  flush(): Promise<void> {
    return guarded(this.#path, () => this.#handle.sync());
  }

  close(): Promise<void> {
    return guarded(this.#path, () => this.#handle.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, path);
  }
}
