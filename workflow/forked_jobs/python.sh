# Read by every bash that Snakemake starts (BASH_ENV).
python() {
  if [ "${1-} ${2-}" = "-m echo" ]; then
    "$FORKED_JOBS_PYTHON" -I -S "$FORKED_JOBS_FOLDER/ask.py" "${@:3}"
  else
    command python "$@"
  fi
}
