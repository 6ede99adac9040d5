/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#define CONCUR_INSIDE

#include "concur-version.h"
#include "concur-version-macros.h"

#include "concur-enums.h"
#include "concur-enum-types.h"
#include "concur-error.h"
#include "concur-types.h"

#include "concur-batch.h"
#include "concur-batcher-job.h"
#include "concur-batcher.h"
#include "concur-channel-bind.h"
#include "concur-channel.h"
#include "concur-combine.h"
#include "concur-context-executor.h"
#include "concur-continue.h"
#include "concur-executor.h"
#include "concur-file.h"
#include "concur-future.h"
#include "concur-generate.h"
#include "concur-home.h"
#include "concur-job.h"
#include "concur-limiter.h"
#include "concur-loop-thread.h"
#include "concur-process-call.h"
#include "concur-process-executor.h"
#include "concur-process-worker.h"
#include "concur-promise.h"
#include "concur-retry.h"
#include "concur-snapshot.h"
#include "concur-task-group.h"
#include "concur-task.h"
#include "concur-thread-executor.h"
#include "concur-vala.h"
#include "concur-value.h"
#include "concur-worker-call.h"

#undef CONCUR_INSIDE
