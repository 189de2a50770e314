import { expect, test } from "vitest";
import {
  type FetchRules,
  type FileRoute,
  mayServe,
  routeFetch,
  routeFetchAll,
  routeUpdate,
} from "#tracker/routing/route-file.ts";
import type { StorageView } from "#tracker/routing/views.ts";
import { groupView, storageView } from "../../../support/tracker-views.ts";

const now = 1_700_000_000;
const rules: FetchRules = {
  downloadServer: "round-robin",
  maxDelaySeconds: 86_400,
  maxTimeSeconds: 300,
  now,
};
const recent = now - 10;
const a = storageView("a");
const b = storageView("b", { lastSyncedTimestamp: now });
const c = storageView("c", { lastSyncedTimestamp: now });

function route(given: {
  readonly source?: StorageView;
  readonly timestamp?: number;
  readonly isNormal?: boolean;
  readonly readable?: readonly StorageView[];
  readonly storeServer?: StorageView | undefined;
}): FileRoute<StorageView> {
  const { timestamp = recent, isNormal = true, readable = [a, b, c] } = given;
  return {
    group: groupView("group1", { readable, writable: [a, b, c] }),
    file: { sourceKey: 0, timestamp, isNormal },
    source: given.source,
    storeServer: "storeServer" in given ? given.storeServer : a,
  };
}

function inTurn(file: FileRoute<StorageView>, count: number, given = rules): unknown {
  let current = 0;
  return Array.from({ length: count }, () => {
    const chosen = routeFetch(file, current, given);
    current = chosen?.next ?? current;
    return chosen?.storage.id;
  });
}

test("who may serve a normal file: the source, and who has synced beyond its time", () => {
  const may = (lastSynced: number, timestamp: number, isSource = false): boolean =>
    mayServe(
      storageView("x", { lastSyncedTimestamp: lastSynced }),
      { timestamp, sourceKey: 0, isSource },
      rules,
    );
  const old = now - 86_400;
  const settled = now - 301;
  expect({
    source: may(0, recent, true),
    behind: may(recent - 1, recent),
    atItsTime: may(recent, recent),
    beyond: may(recent + 1, recent),
    aDayOld: may(0, old),
    olderThanADay: may(0, old - 1),
    settledOneBefore: may(settled - 1, settled),
    settledTwoBefore: may(settled - 2, settled),
    notYetSettled: may(now - 301, now - 300),
  }).toEqual({
    source: true,
    behind: false,
    atItsTime: false,
    beyond: true,
    aDayOld: false,
    olderThanADay: true,
    settledOneBefore: true,
    settledTwoBefore: false,
    notYetSettled: false,
  });
});

test("a normal file is read in turn from all that have it", () => {
  expect(inTurn(route({ source: a }), 4)).toEqual(["a", "b", "c", "a"]);
  expect(inTurn(route({ source: b }), 4)).toEqual(["b", "c", "b", "c"]);
});

test("with download_server source it is read from its source, and in turn where that is away", () => {
  const fromSource: FetchRules = { ...rules, downloadServer: "source" };
  expect(inTurn(route({ source: b }), 2, fromSource)).toEqual(["b", "b"]);
  expect(inTurn(route({ source: a, readable: [b, c] }), 3, fromSource)).toEqual(["b", "c", "b"]);
});

test("an appender or slave file is read from its source alone, else from the store server", () => {
  expect(inTurn(route({ source: b, isNormal: false }), 2)).toEqual(["b", "b"]);
  expect(inTurn(route({ source: b, isNormal: false, readable: [a, c] }), 2)).toEqual(["a", "a"]);
  expect(inTurn(route({ isNormal: false, readable: [b] }), 1)).toEqual([undefined]);
});

test("where nobody surely has it the store server is asked, if it is readable", () => {
  const nobody = { source: c, readable: [a] };
  expect(inTurn(route(nobody), 1)).toEqual(["a"]);
  expect(inTurn(route({ ...nobody, storeServer: b }), 1)).toEqual([undefined]);
  expect(inTurn(route({ ...nobody, storeServer: undefined }), 1)).toEqual([undefined]);
});

test("a fallback does not move round robin", () => {
  expect(routeFetch(route({ source: c, readable: [a] }), 5, rules)).toEqual({
    storage: a,
    next: 5,
  });
});

test("all that have a normal file are listed by id, of an appender the source", () => {
  const ids = (file: FileRoute<StorageView>): unknown =>
    routeFetchAll(file, rules).map((storage) => storage.id);
  expect(ids(route({ source: b }))).toEqual(["b", "c"]);
  expect(ids(route({ source: a }))).toEqual(["a", "b", "c"]);
  expect(ids(route({ source: b, isNormal: false }))).toEqual(["b"]);
  expect(ids(route({ source: b, isNormal: false, readable: [a] }))).toEqual(["a"]);
  expect(ids(route({ readable: [], storeServer: a }))).toEqual([]);
});

test("changes go to the source if it takes uploads, else to anybody", () => {
  const other = storageView("d");
  expect(routeUpdate(route({ source: b }))).toBe(b);
  expect(routeUpdate(route({ source: other }))).toBeUndefined();
  expect(routeUpdate(route({}))).toBeUndefined();
});
