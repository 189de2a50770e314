/**
 * Tests that need something which `npm ci` does not bring: a program of the system, a built file, the rights of root. Where it
 * is missing the test is skipped with a line that says how to get it; under `CAIRN_NO_SKIP=1` (`.ci/run`) it fails instead.
 */
import { accessSync, constants } from "node:fs";
import { networkInterfaces } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "vitest";

export interface Need {
  /** Names the thing in the line that reports the skip. */
  readonly what: string;
  readonly present: boolean;
  /** How to get it, as a command where there is one. */
  readonly how: string;
}

/** Daemons live in `sbin`, which is not on everybody's PATH. */
const moreFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The full path of a program, or undefined where the system has none of that name. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...moreFolders];
  return folders.map((folder) => join(folder, name)).find((path) => allows(path, constants.X_OK));
}

/** A program of the system, and the Debian package that brings it. */
export function program(name: string, from: { readonly apt: string }): Need {
  const present = programPath(name) !== undefined;
  return { what: name, present, how: `apt-get install ${from.apt}` };
}

/** A file or folder that some command makes. */
export function file(path: string, how: string): Need {
  return { what: path, present: allows(path, constants.R_OK), how };
}

/** The rights of the super-user, such as for network namespaces and mounts. */
export function root(): Need {
  return { what: "root", present: process.getuid?.() === 0, how: "run the tests as root" };
}

/** Containers often have none. */
export function ipv6Loopback(): Need {
  const addresses = Object.values(networkInterfaces()).flat();
  const present = addresses.some((each) => each?.address === "::1");
  return { what: "::1", present, how: "sysctl net.ipv6.conf.lo.disable_ipv6=0" };
}

/** What of `wanted` is missing, as one line; undefined where nothing is. */
export function describeMissing(wanted: readonly Need[]): string | undefined {
  const missing = wanted.filter((need) => !need.present);
  if (missing.length === 0) return undefined;
  return missing.map((need) => `needs ${need.what} (${need.how})`).join(", ");
}

export type NeedyTest = (
  name: string,
  run: (context: TestContext) => Promise<void> | void,
  timeoutMs?: number,
) => void;

/** vitest's `test` for those who have all of `wanted`. */
export function needs(...wanted: readonly Need[]): NeedyTest {
  const missing = describeMissing(wanted);
  if (missing === undefined) return (name, run, timeoutMs) => test(name, run, timeoutMs);
  if (process.env.CAIRN_NO_SKIP === "1") {
    return (name) =>
      test(name, () => {
        throw new Error(missing);
      });
  }
  return (name) => test(name, (context) => context.skip(missing));
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
