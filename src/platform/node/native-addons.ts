/**
 * Native addons inside the single executable. The dynamic linker wants a file, so the asset is written to one that has no name
 * (or loses it at once) and is loaded through its descriptor: nothing stays behind, even after SIGKILL. Any thread.
 */
import {
  closeSync,
  constants as fileConstants,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { getRawAsset, isSea } from "node:sea";
import { AppError, describeError } from "#base/app-error.ts";

/** Name in the executable; `image/binary/` puts it there. */
export const sqliteAsset = "better-sqlite3.node";

/** `O_TMPFILE` of Linux, which Node does not name: an unnamed file in the directory that is opened. */
const unnamedFile = 0o20000000 | fileConstants.O_DIRECTORY;

/** Memory first: no disk is touched, and a hardened unit has it. Either may be mounted `noexec`. */
const folders = (): readonly string[] => ["/dev/shm", tmpdir()];

/** The exports of SQLite's addon in the single executable; undefined where better-sqlite3 finds its own. */
export function sqliteAddon(): object | undefined {
  return isSea() ? loadAddon(new Uint8Array(getRawAsset(sqliteAsset))) : undefined;
}

/** Loads an addon from its bytes. Throws `addon-not-loaded` where no folder of `candidates` lets a library be mapped. */
export function loadAddon(bytes: Uint8Array, candidates: readonly string[] = folders()): object {
  const failures: string[] = [];
  for (const folder of candidates) {
    for (const open of [openUnnamed, openUnlinked]) {
      try {
        return loadFrom(open(folder), bytes);
      } catch (error) {
        failures.push(`${folder}: ${describeError(error)}`);
      }
    }
  }
  const message = `the database's native part cannot be loaded; mount one of ${candidates.join(", ")} without noexec`;
  throw new AppError("addon-not-loaded", message, { details: { failures: failures.join("; ") } });
}

function openUnnamed(folder: string): number {
  return openSync(folder, unnamedFile | fileConstants.O_RDWR, 0o700);
}

/** For file systems without unnamed files. */
function openUnlinked(folder: string): number {
  const directory = mkdtempSync(join(folder, "cairn-"));
  try {
    return openSync(join(directory, "addon"), "wx+", 0o700);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * The descriptor of a loaded library stays open: the linker knows a library by its path, and would answer with this one for
 * whatever got the same number later.
 */
function loadFrom(descriptor: number, bytes: Uint8Array): object {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    const module: { exports: object } = { exports: {} };
    process.dlopen(module, `/proc/self/fd/${descriptor}`, constants.dlopen.RTLD_NOW);
    return module.exports;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
