// Texts whose contrast with the ground behind them is below WCAG AA (4.5, or 3 where they are large).

const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => [r, g, b].map((c) => linear(c / 255)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);

function ground(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}

function contrast(element) {
  const [a, b] = [parse(getComputedStyle(element).color), ground(element)].map(luminance);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function isLarge(element) {
  const { fontSize, fontWeight } = getComputedStyle(element);
  return parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
}

return [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && element.namespaceURI.endsWith("xhtml"))
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((element) => !element.matches(":disabled, .leaflet-disabled"))
  .map((element) => [element.textContent.trim().slice(0, 40), element.className, contrast(element), isLarge(element) ? 3 : 4.5])
  .filter(([, , found, wanted]) => found < wanted);
