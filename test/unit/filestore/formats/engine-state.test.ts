import { expect, test } from "vitest";
import { formatEngineState, parseEngineState } from "#filestore/formats/engine-state.ts";

const state = {
  version: 1,
  subdirCount: 256,
  checkpoint: { index: 2, offset: 123456 },
  clean: false,
};

test("the state is lines of key and value", () => {
  const text = "version=1\nsubdir_count=256\nbinlog_index=2\nbinlog_offset=123456\nclean=0\n";
  expect(formatEngineState(state)).toBe(text);
  expect(parseEngineState(text)).toEqual(state);
  expect(parseEngineState(formatEngineState({ ...state, clean: true }))?.clean).toBe(true);
});

test("keys of later releases are passed over, missing ones are not", () => {
  const text = formatEngineState(state);
  expect(parseEngineState(`${text}colour=blue\n`)).toEqual(state);
  for (const key of ["version", "subdir_count", "binlog_index", "binlog_offset"]) {
    expect(parseEngineState(text.replace(`${key}=`, `x${key}=`))).toBeUndefined();
  }
  expect(parseEngineState(text.slice(0, 40))).toBeUndefined();
});

test("what a run that does not flush notes is read again, with and without the mount", () => {
  const settled = { position: { index: 1, offset: 77 }, since: 1_700_000_000 };
  for (const mark of [settled, { ...settled, mounting: "8148dabf-dc55:609635" }]) {
    expect(parseEngineState(formatEngineState({ ...state, settled: mark }))?.settled).toEqual(mark);
  }
});
