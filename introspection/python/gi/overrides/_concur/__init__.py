# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What gi.overrides.Concur is made of. Import gi.repository.Concur instead."""
