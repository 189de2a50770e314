/**
 * Has disks show where they are: switches the LED of their slot where there is one, and has them blink by reads as well, for a while that ends
 * by itself. One pointing a disk at a time. Main thread; nothing here touches a disk but through children.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { isDiskName } from "#disks/helper-protocol.ts";
import { type BlinkSource, blink, directReads, locateLimits } from "#disks/locate.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { Clock } from "#platform/clock.ts";
import type { Commands } from "#platform/commands.ts";
import type { Random } from "#platform/random.ts";

export type LocatedDisk = Pick<DiskFacts, "name" | "sequence" | "sizeBytes">;

export interface LocatorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly commands: Commands;
  readonly log: Log;
  /** Switches the LED of its slot; resolves to what did it, rejects where there is none. Left out where nobody may. */
  readonly led?: (disk: LocatedDisk, on: boolean) => Promise<string>;
  /** Directories of this node that lie on it, for reads where the device itself may not be read. */
  readonly directoriesOn: (disk: LocatedDisk) => readonly string[];
}

export interface Pointing {
  /** `enclosure`, `ledctl`: an LED is on. `reads`: the disk blinks because it is read: three short, and a pause. */
  readonly by: readonly string[];
  readonly seconds: number;
}

/** Files below that do not keep an LED on for long enough to be seen. */
const fileSizes = ["+64M", "+8M", "+1M"] as const;
const findDeadlineMs = 10_000;
const maxPointings = 8;

export class DiskLocator {
  readonly #parts: LocatorParts;
  readonly #ending = new Map<string, AbortController>();

  constructor(parts: LocatorParts) {
    this.#parts = parts;
  }

  /** Begins anew where it was under way. Rejects with `locate-failed` where the disk can show itself in no way. */
  async begin(disk: LocatedDisk, durationMs: number): Promise<Pointing> {
    this.end(disk.name);
    if (!isDiskName(disk.name)) throw new AppError("locate-failed", `${disk.name} is no disk`);
    if (this.#ending.size >= maxPointings) {
      throw new AppError("locate-failed", "many disks are being pointed at already: end one first");
    }
    const ending = new AbortController();
    this.#ending.set(disk.name, ending);
    const limitedMs = Math.min(durationMs, locateLimits.maxDurationMs);
    const led = await this.#switch(disk, true);
    const source = await this.#source(disk).catch((error: unknown) => describeError(error));
    if (typeof source === "string" && led === undefined) {
      this.#ending.delete(disk.name);
      throw new AppError("locate-failed", source);
    }
    const shown = this.#show(disk, { source, led, durationMs: limitedMs, ending });
    ignore(shown, this.#parts.log, "showing a disk ends by itself");
    const reads = typeof source === "string" ? [] : ["reads"];
    return {
      by: [...(led === undefined ? [] : [led]), ...reads],
      seconds: Math.ceil(limitedMs / 1000),
    };
  }

  /** False where it was not under way. */
  end(name: string): boolean {
    const ending = this.#ending.get(name);
    ending?.abort(new Error("it was found"));
    return this.#ending.delete(name);
  }

  endAll(): void {
    for (const name of [...this.#ending.keys()]) this.end(name);
  }

  async #show(
    disk: LocatedDisk,
    how: {
      readonly source: BlinkSource | string;
      readonly led: string | undefined;
      readonly durationMs: number;
      readonly ending: AbortController;
    },
  ): Promise<void> {
    const { clock, random, log } = this.#parts;
    const { source, led, durationMs, ending } = how;
    const { signal } = ending;
    try {
      if (typeof source === "string") await ended(clock, durationMs, signal);
      else {
        const blinks = await blink(source, { clock, random, durationMs, signal });
        log.info("disk-blinked", { disk: disk.name, blinks });
      }
    } catch (error) {
      log.warn("disk-does-not-blink", { disk: disk.name, why: describeError(error) });
      if (led !== undefined) await ended(clock, durationMs, signal);
    } finally {
      if (this.#ending.get(disk.name) === ending) this.#ending.delete(disk.name);
      if (led !== undefined) await this.#switch(disk, false);
    }
  }

  async #switch(disk: LocatedDisk, on: boolean): Promise<string | undefined> {
    try {
      return await this.#parts.led?.(disk, on);
    } catch (error) {
      this.#parts.log.debug("no-locate-led", { disk: disk.name, on, why: describeError(error) });
      return undefined;
    }
  }

  /** The device itself, where we may read it, else a large file of ours on it. Rejects with `locate-failed`. */
  async #source(disk: LocatedDisk): Promise<BlinkSource> {
    const { commands } = this.#parts;
    const device = directReads(commands, `/dev/${disk.name}`, disk.sizeBytes);
    try {
      await device.read(0, 1);
      return device;
    } catch (cause) {
      for (const size of fileSizes) {
        for (const directory of this.#parts.directoriesOn(disk)) {
          const file = await this.#largeFile(directory, size);
          if (file !== undefined) return file;
        }
      }
      throw new AppError(
        "locate-failed",
        `${disk.name} cannot show itself: it has no LED that can be switched, the device may not be read by this process, and no large file of this node lies on it`,
        { cause },
      );
    }
  }

  async #largeFile(directory: string, size: string): Promise<BlinkSource | undefined> {
    const { commands } = this.#parts;
    const rules = ["-xdev", "-type", "f", "-size", size, "-printf", "%s %p", "-quit"];
    const limits = { deadlineMs: findDeadlineMs, maxOutputBytes: 8192 };
    try {
      const { stdout } = await commands.run("find", [directory, ...rules], limits);
      const found = /^(\d+) (\/.+)$/.exec(stdout);
      if (found === null) return undefined;
      const [, bytes, path = ""] = found;
      return directReads(commands, path, Number(bytes));
    } catch {
      // It hangs, or nothing there may be read: the next one may do.
      return undefined;
    }
  }
}

function ended(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const timer = clock.after(ms, resolve);
    signal.addEventListener("abort", () => {
      timer.cancel();
      resolve();
    });
  });
}
