/* Photos that were looked at, kept up to so many pixels. */

import { photo } from "./server.js";

const KEPT_PIXELS = 40e6;

export class Photos {
  /* identity: of the pictures that are open, so that a browser shows no other's. */
  constructor(count, identity) {
    this.count = count;
    this.identity = identity;
    this.kept = new Map();
  }

  /* Promises the bitmap of a picture. */
  get(place) {
    const { kept } = this, promised = kept.get(place) ?? photo(place, this.identity);
    kept.delete(place);
    kept.set(place, promised);
    promised.then(bitmap => {
      const most = Math.max(3, Math.floor(KEPT_PIXELS / (bitmap.width * bitmap.height)));
      for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - most))) kept.delete(old);
    }, () => kept.delete(place));
    return promised;
  }

  /* Fetches those beside a picture, for they are looked at next. */
  around(place) {
    for (const beside of [place + 1, place - 1]) {
      if (beside >= 0 && beside < this.count) this.get(beside).catch(() => {});
    }
  }
}
