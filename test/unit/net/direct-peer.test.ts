import { expect, test } from "vitest";
import { FramePeer } from "#net/direct-peer.ts";
import { headerBytes } from "../../support/frame-fixture.ts";
import { LentConnection, lentDescriptor } from "../../support/lent-connection.ts";
import { ScriptedConnection } from "../../support/scripted-connection.ts";

test("a connection that cannot be lent makes a peer that is answered in the ordinary way", () => {
  const peer = new FramePeer(new ScriptedConnection());
  expect(peer.isDirect).toBe(false);
  expect(peer.lend()).toBeUndefined();
});

test("the socket is lent while nothing else is on its way", () => {
  const connection = new LentConnection();
  const peer = new FramePeer(connection);
  expect(peer.isDirect).toBe(true);
  expect(peer.lend()?.descriptor).toBe(lentDescriptor);
  connection.takesWrites = false;
  connection.write(Buffer.from("x"));
  expect(peer.lend()).toBeUndefined();
});

test("the header is that of a good reply", () => {
  const peer = new FramePeer(new LentConnection());
  const target = Buffer.alloc(20, 1);
  peer.writeHeader(target, 5, 2 ** 33 + 7);
  expect(target.subarray(5, 5 + peer.headerBytes)).toEqual(headerBytes(2 ** 33 + 7, 100, 0));
  expect(target.subarray(0, 5)).toEqual(Buffer.alloc(5, 1));
  expect(target.subarray(15)).toEqual(Buffer.alloc(5, 1));
});
