/** What is met on a disk that somebody else has filled: links, pipes and ways out. On real files. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foreignDiskFiles } from "#filestore/import/foreign-disk-files.ts";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";

function codeOf(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return error.code;
  }
}

test("plain files are read, and nothing else, wherever a link stands", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-foreign-"));
  try {
    const root = join(folder, "disk");
    mkdirSync(join(root, "data/00"), { recursive: true });
    mkdirSync(join(folder, "private"));
    writeFileSync(join(folder, "private/key"), "secret");
    writeFileSync(join(root, "data/00/file"), "content");
    linkSync(join(root, "data/00/file"), join(root, "data/00/same"));
    symlinkSync(join(folder, "private/key"), join(root, "data/00/link"));
    symlinkSync(join(folder, "private"), join(root, "data/01"));
    execFileSync("mkfifo", [join(root, "data/00/pipe")]);
    symlinkSync(root, join(folder, "named"));
    for (const given of [root, join(folder, "named")]) {
      const files = foreignDiskFiles(new NodeFiles(), given);
      const at = (path: string): string => `${given}/${path}`;
      expect(files.list(at("data/00"))?.sort()).toEqual(["file", "link", "pipe", "same"]);
      for (const name of ["file", "same"]) {
        const descriptor = files.open(at(`data/00/${name}`), "read");
        expect(files.statDescriptor(descriptor).sizeBytes).toBe(7);
        files.close(descriptor);
      }
      expect(files.stat(at("data/00/link"), true)?.kind).toBe("link");
      expect(files.readLink(at("data/00/link"))).toContain("private/key");
      expect(files.stat(at("data/02/x"), true)).toBeUndefined();
      const refused = ["data/00/link", "data/00/pipe", "data/01/key", "../private/key", "data/00"];
      expect(refused.map((path) => codeOf(() => files.open(at(path), "read")))).toEqual(
        refused.map(() => "ELOOP"),
      );
      expect(codeOf(() => files.list(at("data/01")))).toBe("ELOOP");
      expect(codeOf(() => files.stat(at("data/01/key"), false))).toBe("ELOOP");
      expect(codeOf(() => files.stat(at("data/00/file/x"), false))).toBe("ENOTDIR");
      expect(codeOf(() => files.open(`${folder}/private/key`, "read"))).toBe("ELOOP");
      expect(codeOf(() => files.open(at("data/00/none"), "read"))).toBe("ENOENT");
      expect(codeOf(() => files.remove(at("data/00/file")))).toBe("EROFS");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
