import { expect, test } from "vitest";
import { isNodeId, NodeId, nodeIdOf } from "#model/node-id.ts";

test("the id of a node is the begin of its key's hash", () => {
  expect(nodeIdOf(new Uint8Array(32))).toBe("66687aadf862bd77");
  expect(nodeIdOf(new Uint8Array(32).fill(1))).not.toBe("66687aadf862bd77");
});

test("what is no id of a node is refused", () => {
  expect(NodeId("66687aadf862bd77")).toBe("66687aadf862bd77");
  for (const wrong of ["", "66687AADF862BD77", "66687aadf862bd7", "66687aadf862bd777"]) {
    expect(isNodeId(wrong)).toBe(false);
    expect(() => NodeId(wrong)).toThrow("is not the id of a node");
  }
});
