/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Holds the thread that keeps the time: what is begun meanwhile can only end afterwards. */

#pragma once

#include "concur-timer-private.h"
#include "test-util.h"

typedef struct
{
  ConcurTimer timer;
  TestClog clog;
} TestHold;

static inline void
test_hold_fire (ConcurTimer *timer)
{
  TestHold *hold = (TestHold *) timer;

  test_gate_open (&hold->clog.begun);
  test_gate_wait (&hold->clog.go);
}
