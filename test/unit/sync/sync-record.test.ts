import { expect, test } from "vitest";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import { heldNameTime, isGivenOnce, isPushed, touchesOf } from "#sync/sync-record.ts";

const normal = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const packed = "M01/00/00/CgkAA2sDkXSIDf4GAAACvIvzm98AAAAAgAAAAAAAAMA684.dat";
const appender = "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
const slave = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg";

function entry(line: string): BinlogEntry {
  const found = decodeEntry(line);
  if (found === undefined) throw new Error(`no record: ${line}`);
  return found;
}

const usual = { sendsOld: false, until: 0 };
const filling = { sendsOld: true, until: 100 };

test("what happened here is always sent", () => {
  for (const rest of ["C a", "U a", "D a", "A a 0 1", "M a 0 1", "T a 1 0", "L a b", "R a b"]) {
    const [letter = "", ...names] = rest.split(" ");
    const line = `50 ${[letter, ...names.map((name) => (/\d/.test(name) ? name : normal))].join(" ")}`;
    expect(isPushed(entry(line), usual)).toBe(true);
  }
});

test("what came from peers is sent to a new member alone, up to its time, and never the changes of a file that is sent whole", () => {
  const lines = {
    c: `100 c ${normal}`,
    u: `100 u ${normal}`,
    d: `100 d ${normal}`,
    l: `100 l ${normal} ${packed}`,
    r: `100 r ${normal} ${appender}`,
    late: `101 c ${normal}`,
    a: `100 a ${appender} 0 1`,
    m: `100 m ${appender} 0 1`,
    t: `100 t ${appender} 1 0`,
  };
  const pushed = Object.entries(lines).filter(([, line]) => isPushed(entry(line), filling));
  expect(pushed.map(([name]) => name)).toEqual(["c", "u", "d", "l", "r"]);
  expect(Object.values(lines).some((line) => isPushed(entry(line), usual))).toBe(false);
});

test("a deletion at time 0 says that a crash took the file here, and is nobody else's business", () => {
  expect(isPushed(entry(`0 d ${normal}`), filling)).toBe(false);
  expect(isPushed(entry(`0 D ${normal}`), usual)).toBe(false);
  expect(isPushed(entry(`1 D ${normal}`), usual)).toBe(true);
});

test("a record touches its name, the name that it was made from, and the slot of a packed file", () => {
  expect(touchesOf(entry(`1 C ${normal}`))).toEqual({ names: [normal], slots: [] });
  expect(touchesOf(entry(`1 R ${normal} ${appender}`)).names).toEqual([normal, appender]);
  expect(touchesOf(entry(`1 L ${normal} ${packed}`))).toEqual({
    names: [normal, packed],
    slots: [{ file: "1/0/0/2", from: 0, to: 768 }],
  });
  expect(touchesOf(entry(`1 D ${packed}`)).slots).toEqual([{ file: "1/0/0/2", from: 0, to: 768 }]);
});

test("positions speak of files with names of their own", () => {
  expect(heldNameTime(normal)).toBe(1795400047);
  expect(heldNameTime(packed)).toBe(1795395956);
  for (const name of [appender, slave, `${normal}-m`, "M00/00/00/x", ""]) {
    expect(heldNameTime(name)).toBeUndefined();
  }
});

test("names of slaves and metadata can come again, others cannot", () => {
  expect([normal, packed, appender].map(isGivenOnce)).toEqual([true, true, true]);
  expect([slave, `${normal}-m`, "M00/00/00/x", ""].map(isGivenOnce)).not.toContain(true);
});
