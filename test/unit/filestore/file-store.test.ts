/** What a store path's condition means to those who place files. */
import { expect, test } from "vitest";
import { storePathConditions, takesFiles } from "#filestore/file-store.ts";

test("new files go to paths that are online, however slow, and to no others", () => {
  expect(storePathConditions.filter(takesFiles)).toEqual(["online", "slow"]);
});
