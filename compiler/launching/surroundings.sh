fail() { echo "error: $1" >&2; exit 2; }

has_renaissance() {
  # What it prints, not how it ends: other programs end well whatever they are told.
  "$1" -c 'import importlib.util as util
print(all(map(util.find_spec, ("torch", "renaissance"))))' 2> /dev/null | tail -n 1 | grep -qx True
}

compiled_by={{ interpreter }}
compiled_in={{ compiled_in }}
python="${PYTHON:-}"
if [ -n "$python" ]; then
  has_renaissance "$python" || fail "PYTHON is $python, which has no torch or no renaissance"
else
  for candidate in "$compiled_by" python3 python; do
    if has_renaissance "$candidate"; then python="$candidate"; break; fi
  done
  [ -n "$python" ] || fail "no Python here has torch and renaissance; set PYTHON to one that has them"
fi

case "${PROCESSES:-1}" in
  0* | *[!0-9]*) fail "PROCESSES is $PROCESSES, which is no number of processes from 1 on" ;;
esac

working_folder="${WORKING_FOLDER:-$compiled_in}"
{% if relative %}
[ -d "$working_folder" ] || fail "there is no folder $working_folder, where the relative path "{{ relative }}\
" of the spec starts; set WORKING_FOLDER to the folder that it starts from here"
{% else %}
[ -d "$working_folder" ] || working_folder="$folder"  # no path of the spec is relative
{% endif %}
cd "$working_folder" || exit 2

# Weights were loaded when the folder was compiled; machines that train may have no internet.
export HF_HUB_OFFLINE="${HF_HUB_OFFLINE:-1}"
{% if hf_home %}
hf_home={{ hf_home }}
export HF_HOME="${HF_HOME:-$hf_home}"
{% endif %}
# Seconds that torchrun leaves its processes to write a checkpoint when it is told to stop.
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-{{ grace }}}"

# torchrun ends with 1 whatever happened: how the run ended stands in exit.json.
rm -f "$folder/exit.json"
end() {
  if [ "$1" -ne 0 ]; then
    told="$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["code"])' \
      "$folder/exit.json" 2> /dev/null)" && [ "$told" -ne 0 ] && exit "$told"
  fi
  exit "$1"
}
