import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeMoveFiles } from "#platform/node/node-move-files.ts";

test("files are told with their times, names and rights, and times are set", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-files-"));
  try {
    using files = new NodeMoveFiles();
    const path = join(folder, "file");
    const descriptor = files.open(path, "create", true);
    files.write(descriptor, Buffer.from("12345"));
    const modifiedNs = 1_700_000_000_123_456_789n;
    files.setModifiedNs(descriptor, modifiedNs);
    const facts = files.factsOf(descriptor);
    files.close(descriptor);
    expect(facts).toMatchObject({ kind: "file", sizeBytes: 5, links: 1, forOwner: true });
    expect(Math.abs(Number(facts.modifiedNs - modifiedNs))).toBeLessThan(1000);
    linkSync(path, `${path}.2`);
    symlinkSync("file", `${path}.3`);
    writeFileSync(`${path}.4`, "");
    expect(files.facts(`${path}.2`)).toMatchObject({ inode: facts.inode, links: 2 });
    expect(files.facts(`${path}.3`)?.kind).toBe("link");
    expect(files.facts(`${path}.4`)?.forOwner).toBe(false);
    expect(files.facts(folder)?.kind).toBe("directory");
    expect(files.facts(`${path}.5`)).toBeUndefined();
    expect(() => files.facts(`${path}/x`)).toThrow("ENOTDIR");
    expect(() => files.factsOf(9999)).toThrow("EBADF");
    expect(() => files.setModifiedNs(9999, 0n)).toThrow("EBADF");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
