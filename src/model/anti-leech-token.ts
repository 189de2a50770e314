/** The token that proves that a link was made by somebody who knows the secret, and when (protocol §10.1). Pure. */
import { createHash, timingSafeEqual } from "node:crypto";

export interface AntiLeechClaim {
  /** Logical name, without group and leading slash. */
  readonly filename: string;
  /** The secret key, as bytes or as the text of the settings. */
  readonly secret: string | Uint8Array;
  /** Unix seconds, as the decimal text that stands in the link. */
  readonly timestamp: string;
}

const tokenLength = 32;

/** 32 lower-case hexadecimal digits. */
export function antiLeechToken(claim: AntiLeechClaim): string {
  return createHash("md5")
    .update(claim.filename)
    .update(claim.secret)
    .update(claim.timestamp)
    .digest("hex");
}

/** Whether `token` fits the claim, compared in constant time and case. Whether the link is too old is `isExpired`'s question. */
export function tokenFits(token: string, claim: AntiLeechClaim): boolean {
  const given = Buffer.from(token);
  if (given.length !== tokenLength) return false;
  return timingSafeEqual(given, Buffer.from(antiLeechToken(claim)));
}

/** A link of time 0 never expires, one from the future has not. Times in Unix seconds, `ttl` in seconds. */
export function isExpired(timestamp: number, now: number, ttl: number): boolean {
  return timestamp !== 0 && now - timestamp > ttl;
}
