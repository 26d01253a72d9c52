#!/usr/bin/env bash
# Speaks sentences.txt with espeak-ng and writes one FLAC file per sentence and manifest.csv, beside this script.
# Needs espeak-ng (1.51 made what is bundled) and sox with FLAC:
#   apt-get install espeak-ng sox libsox-fmt-base
# Usage: make_speech.sh [FOLDER]     (FOLDER is this one unless said)
set -euo pipefail
export LC_ALL=C

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here}

# speaker, voice+variant, words per minute, pitch (0-99), amplitude (0-200; less where a voice would clip).
# Sentence n is spoken by voice n modulo 8.
# "en-gb" would ignore its variant, so British English is "en"; variants with an echo (f2, f4, f5, m2) are not clean.
voices=(
    "american-male    en-us+m3               160 45 100"
    "rp-female        en-gb-x-rp+f1          150 50  70"
    "scottish-male    en-gb-scotland+m1      150 30  85"
    "american-female  en-us+Annie            165 45 100"
    "british-male     en+m7                  155 60  75"
    "lancaster-female en-gb-x-gbclan+steph   145 40 100"
    "caribbean-male   en-029+m5              155 75 100"
    "midlands-female  en-gb-x-gbcwmd+belinda 160 45  70"
)

for tool in espeak-ng sox; do
    command -v "$tool" >/dev/null || { echo "make_speech.sh: $tool is missing" >&2; exit 1; }
done

echo "path,id,speaker,transcript,language,licence" >"$folder/manifest.csv"
n=0
while IFS= read -r sentence; do
    read -r speaker voice rate pitch amplitude <<<"${voices[n % ${#voices[@]}]}"
    n=$((n + 1))
    id=$(printf 'speech-%02d' "$n")
    # The samples are espeak-ng's own: 16 bit at 22050 Hz; sox packs them and, with -D, adds no dither.
    espeak-ng -v "$voice" -s "$rate" -p "$pitch" -a "$amplitude" --stdout -- "$sentence" |
        sox -D --ignore-length -t wav - --compression 8 --comment "" "$folder/$id.flac"
    printf '%s.flac,%s,%s,"%s",en,CC0-1.0\n' "$id" "$id" "$speaker" "$sentence" >>"$folder/manifest.csv"
done <"$here/sentences.txt"
echo "$n sentences, $(cat "$folder"/speech-*.flac | wc -c) bytes in $folder"
