/** Whether a download carries a valid anti-leech token (protocol §10.1). Pure. */
import type { AntiLeechSettings } from "#gateway/gateway-settings.ts";
import { isExpired, tokenFits } from "#model/anti-leech-token.ts";

export type TokenVerdict = "fine" | "missing" | "wrong" | "expired";

export interface TokenClaim {
  /** Logical name, without group. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly nowSeconds: number;
}

/** The token is compared before the time is looked at, so that nobody learns which part was wrong. */
export function checkToken(settings: AntiLeechSettings, claim: TokenClaim): TokenVerdict {
  if (!settings.check) return "fine";
  const token = claim.query.get("token");
  const timestamp = claim.query.get("ts");
  if (token === null || timestamp === null) return "missing";
  if (!/^(?:0|[1-9]\d{0,10})$/.test(timestamp)) return "wrong";
  if (!tokenFits(token, { filename: claim.name, secret: settings.secret, timestamp })) {
    return "wrong";
  }
  const ttlSeconds = settings.ttlMs / 1000;
  return isExpired(Number(timestamp), claim.nowSeconds, ttlSeconds) ? "expired" : "fine";
}
