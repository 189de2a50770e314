/**
 * Sockets that the main thread lends to another one, which has what a peer waits for: written there, it crosses no further thread. What is
 * lent is a descriptor of its own (`dup`), so that its number means nothing else as long as anybody has it, whatever becomes of the
 * connection. Only where the runtime calls the system's functions; everything works without, by way of the main thread.
 */
import type { FileDescriptor } from "#platform/files.ts";

/** A socket's further descriptor. */
export type LentDescriptor = number;

/** Of one connection. Main thread. */
export interface SocketLease {
  readonly descriptor: LentDescriptor;
  /** Whoever had it is done with it: for each time that it was lent, once. */
  giveBack(): void;
  /** Ends the connection: nobody knows how much of an answer went out. */
  breakOff(): void;
}

/** Writes to sockets out of one shared memory. Never waits. */
export interface SocketWriter {
  /**
   * Sends `length` bytes from `offset` of the memory on. Returns how many the system took: fewer, also none, where the socket has no room,
   * or the connection is broken, which whoever sends the rest finds out. `more`: what follows belongs to it.
   */
  send(socket: LentDescriptor, piece: SocketPiece): number;
  /** As `send`, of a file's content without copying it, which waits for the file's disk. What changes in the file meanwhile may go out. */
  sendFile(socket: LentDescriptor, file: FileDescriptor, range: FileRange): number;
}

export interface SocketPiece {
  readonly offset: number;
  readonly length: number;
  readonly more: boolean;
}

export interface FileRange {
  readonly position: number;
  readonly length: number;
}
