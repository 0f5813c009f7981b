#!/usr/bin/env bash
# Make book/assets/explorers/vendor again: what the explorers take from libraries of others, each
# in one file, at the versions below. Needs Node.js and npm; nothing else of the course does.
set -euo pipefail
cd "$(dirname "$0")/../book/assets/explorers/vendor"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund esbuild@0.28.2 \
  d3-array@3.2.5 d3-axis@3.0.1 d3-contour@4.0.3 d3-drag@3.0.1 d3-scale@4.0.3 d3-selection@3.0.1 d3-shape@3.2.1 \
  @stdlib/math-base-special-erfc@0.2.5 @stdlib/math-base-special-erfcinv@0.2.4

cat > d3.js <<'JS'
export { bisectLeft, bisectRight } from "d3-array";
export { axisBottom, axisLeft } from "d3-axis";
export { contours } from "d3-contour";
export { drag } from "d3-drag";
export { scaleLinear, scaleLog } from "d3-scale";
export { select } from "d3-selection";
export { area, curveStepAfter, line } from "d3-shape";
JS
cat > special.js <<'JS'
export { default as erfc } from "@stdlib/math-base-special-erfc";
export { default as erfcinv } from "@stdlib/math-base-special-erfcinv";
JS
for name in d3 special; do
  npx esbuild $name.js --bundle --minify --format=esm --platform=browser --legal-comments=none \
    --define:process=undefined --outfile="$here/$name.js" --log-level=error
done

{
  echo "The files of this folder were made by tools/vendor.sh from these packages of the npm registry:"
  for name in d3-array d3-axis d3-contour d3-drag d3-scale d3-selection d3-shape \
    @stdlib/math-base-special-erfc @stdlib/math-base-special-erfcinv; do
    version=$(node -p "require('./node_modules/$name/package.json').version")
    printf '\n== %s %s ==\n\n' "$name" "$version"
    cat node_modules/$name/LICENSE*
  done
} > "$here/LICENSES.txt"
