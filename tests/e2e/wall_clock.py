"""A wall clock that can be stepped, for the programs that are started with its environment (clock_step.c). Others keep the true one.

    clock = wall_clock.Clock(folder)
    mesh.weftd(env=clock.env)
    clock.step(wall_clock.DAY_S)      from now on it is off by so much
    clock.now()                       what it shows
"""
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DAY_S = 86400


class Clock:
    def __init__(self, folder, name="clock"):
        self._file, library = os.path.join(folder, f"{name}.step"), os.path.join(folder, f"{name}.so")
        self.step(0)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, os.path.join(HERE, "clock_step.c"), "-ldl"], check=True)
        self.env = {**os.environ, "LD_PRELOAD": library, "WEFT_CLOCK_STEP": self._file,
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def step(self, seconds):
        self._step = seconds
        draft = self._file + ".new"  # a whole file at any time: an empty one would be the true time
        with open(draft, "w", encoding="utf-8") as file:
            file.write(str(seconds))
        os.rename(draft, self._file)

    def now(self):
        return time.time() + self._step
