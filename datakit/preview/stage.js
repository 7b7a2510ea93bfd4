/* One picture large, with numbers about it, and where its part lies in the whole. */

/* Size on the page of a picture of [height, width]. */
function largeSize([height, width]) {
  const stage = $("large").parentNode, style = getComputedStyle(stage);
  const across = stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const room = [across, Math.max(200, innerWidth < 760 ? innerHeight * 0.55 : innerHeight - 230)];
  const zoom = Math.min(room[0] / width, room[1] / height);
  return [Math.round(width * zoom), Math.round(height * zoom)];
}

function fillMeasures(facts) {
  $("measures").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
}

/* Where only a part of [H, W] pixels is shown: the whole, with a frame around that part. */
async function paintLocator(region, [H, W], ask, isWanted) {
  const [x0, y0, x1, y1] = region;
  $("locator").hidden = x0 === 0 && y0 === 0 && x1 === W && y1 === H;
  if ($("locator").hidden) return;
  const picture = await ask();
  if (isWanted()) paintWhole($("whole"), picture, region, [H, W]);
}
