/** Files that a C storage packed: read, described and deleted by their names; nobody else's bytes are shown. */

import { expect, test } from "vitest";
import { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { findSlot } from "#filestore/worker/trunk-slot.ts";
import { isTrunkBase } from "#model/file-id.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  runSteps,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { unpackStorePath } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const root = "/store";
const packed = "M01/00/00/fwBNAmsDxpmIUj90AAAAEcH7iQQAAAAAgAAAwAAAAEA897.txt";
const large = "M01/00/00/fwBNAmsDxpmIZf2mAAACvA8kHIUAAAAAgAAAAAAAAMA1623843";
const described = "M01/00/00/fwBNAmsDxpmIPW_4AAAAEcH7iQQAAAAAgAABAAAAAEA420.txt";
/** Its slot was given to `packed`. */
const deleted = "M01/00/00/fwBNAmsDxpmIUCMKAAAAEcH7iQQAAAAAgAAAwAAAAEA361.txt";
const trunkFile = `${root}/path1/data/00/00/000002`;

function openPacked(files: MemoryFiles = unpacked()) {
  const settings = { index: 1, subdirCount: 2, adoptBasePath: `${root}/base` };
  return { files, engine: openEngine({ files, directory: `${root}/path1`, settings }) };
}

function unpacked(): MemoryFiles {
  const files = new MemoryFiles(root);
  unpackStorePath("trunk", files, root);
  return files;
}

test("packed files of C are read and described by their names", () => {
  const { engine } = openPacked();
  expect(readBack(engine, packed).toString()).toBe("a plain file of C");
  expect(readBack(engine, large).toString()).toBe("z".repeat(700));
  expect(engine.facts(packed)).toEqual({
    sizeBytes: 17,
    modifiedSeconds: 1795409561,
    crc32: 3254487300,
  });
  expect(runSteps(engine.crc(packed))).toBe(3254487300);
  expect(Buffer.from(engine.readMetadata(described)).toString("latin1")).toContain("width\x02160");
});

test("a slot that is another's, or nobody's, is no file", () => {
  const { engine } = openPacked();
  const elsewhere = packed.replace("AAAAAgAAAw", "AAAAAgAABw");
  const noFile = packed.replace("AAAAAgAAAw", "AAAAAwAAAw");
  for (const name of [deleted, elsewhere, noFile, packed.replace("897.txt", "898.txt")]) {
    expect(() => engine.openRead(name), name).toThrow("there is no file");
    expect(() => engine.facts(name), name).toThrow("there is no file");
    expect(() => engine.prepareRemove(name), name).toThrow("there is no file");
  }
});

test("the physical file can be read as well, as a C storage does for recovery", () => {
  const { engine } = openPacked();
  expect(engine.facts("M01/00/00/000002").sizeBytes).toBe(1280);
  expect(readBack(engine, "M01/00/00/000002")[0]).toBe(0x46);
});

test("a deleted one leaves zeros in its slot and nothing else, with its metadata's file gone", () => {
  const { files, engine } = openPacked();
  const before = readText(files, trunkFile);
  commit(engine, engine.prepareRemove(described));
  expect(() => engine.openRead(described)).toThrow("there is no file");
  const after = readText(files, trunkFile);
  expect(after).toBe(before.slice(0, 1024) + "\0".repeat(256));
  expect(readBack(engine, packed).toString()).toBe("a plain file of C");
  const { binlog, files: names } = viewOf(files, `${root}/path1`);
  expect(binlog).toMatch(new RegExp(` D ${described}\n\\d+ D ${described}-m\n$`));
  expect(Object.keys(names).filter((name) => name.endsWith("420.txt-m"))).toEqual([]);
});

test("a deletion that was interrupted is completed at the next start", () => {
  const { files } = openPacked();
  const troubled = new TroubledFiles(files);
  const settings = { index: 1, subdirCount: 2 };
  const engine = openEngine({ files: troubled.files, directory: `${root}/path1`, settings });
  const change = engine.prepareRemove(packed);
  troubled.arm({ kind: "none" });
  engine.commit([change]);
  const zeroing = troubled.trace.indexOf("write", troubled.trace.indexOf("write") + 1) + 1;
  const second = openPacked();
  const again = new TroubledFiles(second.files);
  const interrupted = openEngine({ files: again.files, directory: `${root}/path1`, settings });
  const removal = interrupted.prepareRemove(packed);
  again.arm({ kind: "stop", atCall: zeroing - 1 });
  expect(() => interrupted.commit([removal])).toThrow("killed");
  const { engine: next } = openPacked(second.files);
  expect(next.openReport.rolledForward).toBe(1);
  expect(() => next.openRead(packed)).toThrow("there is no file");
  expect(readBack(next, described).toString()).toBe("a plain file of C");
});

test("slaves of packed files, and what looks like one, are ordinary files", () => {
  const { engine } = openPacked();
  const slave = put(
    engine,
    { kind: "slave", master: packed, prefix: "_small", extension: "png" },
    "s",
  );
  expect(slave).toBe(`${packed.slice(0, -4)}_small.png`);
  expect(readBack(engine, slave).toString()).toBe("s");
  expect(isTrunkBase(packed.slice(10))).toBe(true);
  expect(isTrunkBase(slave.slice(10))).toBe(false);
  expect(() => engine.startWrite({ kind: "append", name: packed }, 1)).toThrow();
});

test("a link slot leads to the file that it names, and a circle of them nowhere", () => {
  const { files, engine } = openPacked();
  // The header and name of a link whose source is `packed`, at the end of the trunk file (protocol §4.2).
  const link = "M01/00/00/CgkAA2sDkXeIRKKjAAAAPCf6Um8AAAAAgAABQAAAAEA036.lnk";
  const header = Buffer.from("4c000001000000003c27fa526f6b0391773033362e6c6e6b", "hex");
  const write = (target: string): void => {
    const descriptor = files.open(trunkFile, "read-write");
    files.write(descriptor, Buffer.concat([header, Buffer.from(target)]), 0x500);
    files.close(descriptor);
  };
  write(packed);
  expect(readBack(engine, link).toString()).toBe("a plain file of C");
  expect(engine.facts(link)).toEqual({
    sizeBytes: 17,
    modifiedSeconds: 0x6b039177,
    crc32: undefined,
  });
  for (const target of [link, deleted, "M00/00/00/on-another-store-path", "rubbish"]) {
    write(target);
    expect(() => engine.openRead(link)).toThrow("there is no file");
  }
});

test("finding a slot reads it with its header, and leaves nothing open but its trunk file", () => {
  const files = unpacked();
  const layout = new FileLayout(`${root}/path1`, 1);
  const descriptors = new TrunkDescriptors(files);
  const world = { files, layout, packed: { descriptors } };
  const buffer = Buffer.alloc(24 + 17);
  expect(findSlot(world, layout.place(deleted), buffer)).toBeUndefined();
  const slot = findSlot(world, layout.place(packed), buffer);
  expect(slot).toMatchObject({ content: "file", read: 17 });
  expect(slot?.place).toMatchObject({ path: trunkFile, offset: 768, size: 256, sizeBytes: 17 });
  expect(buffer.toString("latin1", 24)).toBe("a plain file of C");
  expect(findSlot(world, layout.place(packed), Buffer.alloc(24))?.read).toBe(0);
  expect(files.openFiles).toBe(1);
  descriptors.close();
  expect(files.openFiles).toBe(0);
});
