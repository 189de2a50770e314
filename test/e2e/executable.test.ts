/**
 * The single executables start, answer and need nothing beside the C and C++ libraries. What they do once they serve is the
 * business of the other end-to-end tests.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { emulatedExecutable, nativeExecutable } from "../support/executables.ts";
import { needs, program } from "../support/needs.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { readonly version: string };

/** Made by C FastDFS 6.16; what is in it is in its name. */
const knownFileId = "group1/M00/00/02/wKgBaFv9Ad-Abep_AAUtbU7xcws013.png";

/** Libraries of glibc, of GCC's C++ runtime and the loader: what every Debian has, and libatomic. */
const allowedLibraries =
  /^(?:ld-linux-\S+|lib(?:c|dl|m|pthread|rt|stdc\+\+|gcc_s|atomic))\.so\.\d+$/;

for (const executable of [nativeExecutable(), emulatedExecutable()]) {
  const kind = executable.args.length === 0 ? "native" : "emulated arm64";
  const run = (...args: readonly string[]): string =>
    execFileSync(executable.command, [...executable.args, ...args], {
      encoding: "utf8",
      timeout: 30_000,
      env: { ...process.env, ...executable.env },
    });
  const path = executable.args[0] ?? executable.command;

  needs(...executable.needs)(`the ${kind} executable says its version and explains itself`, () => {
    expect(run("version")).toContain(version);
    expect(run("help")).toContain("serve");
  });

  needs(...executable.needs)(`the ${kind} executable decodes a file id`, () => {
    expect(JSON.parse(run("id", "--json", knownFileId))).toMatchObject({
      files: [{ group: "group1", kind: "normal", sizeBytes: 339_309 }],
    });
  });

  needs(...executable.needs, program("readelf", { apt: "binutils" }))(
    `the ${kind} executable needs no library that Debian does not bring`,
    () => {
      const dynamic = execFileSync("readelf", ["-d", path], { encoding: "utf8" });
      const libraries = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
      expect(libraries).toContain("libc.so.6");
      expect(libraries.filter((name) => !allowedLibraries.test(name ?? ""))).toEqual([]);
    },
  );
}
