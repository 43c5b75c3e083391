# Installs MedServer into .venv beside this file: from the network, or from a carried bundle. Called by install.bat.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$Torch = '2.13.0'
# The newest Python that this torch is built for.
$PythonNewest = '3.14'
$Pythons = "3.10 to $PythonNewest"
$TorchIndex = 'https://download.pytorch.org/whl'
$Models = 'demo', '4', '27', '27t'
# Gigabytes that an installation takes.
$RoomCpu = 3
$RoomCuda = 9

$Here = $PSScriptRoot
$Root = $Here
$Yes = $false
$Bundle = ''

$Usage = @'
install.bat                           install, repair or upgrade; it asks for model, token and weights
install.bat --yes                     the same without a question
install.bat --offline BUNDLE          install what medserver bundle made (a folder), without a network
install.bat --offline DIR             the same from a folder of wheels
install.bat --plan                    say what would be installed and why, and install nothing
install.bat --uninstall               take everything away again, but the weights
install.bat --serve MODEL [flags...]  install if needed, then serve: demo, 4, 27 or 27t, with medserver's flags
install.bat --test                    install what the tests need, then run them

--into DIR     with --offline: where it goes (default: beside this script)
'@

function Fail([string]$Words) {
    [Console]::Error.WriteLine("install.bat: $Words")
    exit 1
}

# ---- what is here

# A Python as the words that start it, or nothing. Windows' own "python" may be a shop window that runs nothing.
function Find-Python([string]$Wanted) {
    $candidates = @(@('py', '-3'), @('python'), @('py', '-3.14'), @('py', '-3.13'), @('py', '-3.12'), @('py', '-3.11'), @('py', '-3.10'))
    if ($Wanted) { $candidates = @(@('py', "-$Wanted"), @('python'), @('py', '-3')) }
    foreach ($candidate in $candidates) {
        if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
        $version = Get-PythonVersion $candidate
        if (-not $version) { continue }
        if ($Wanted) { if ($version -eq $Wanted) { return , $candidate } }
        elseif ([version]$version -ge [version]'3.10' -and [version]$version -le [version]$PythonNewest) { return , $candidate }
    }
}

function Get-PythonVersion([string[]]$Command) {
    # No double quotes in the code: versions of PowerShell hand them on in different ways.
    $code = 'import sys; print(str(sys.version_info[0]) + chr(46) + str(sys.version_info[1]))'
    try { $said = Invoke-Words $Command @('-c', $code) 2>$null } catch { return '' }
    if ($LASTEXITCODE -eq 0) { return "$said".Trim() }
    return ''
}

function Invoke-Words([string[]]$Command, [string[]]$Arguments) {
    $more = @($Command | Select-Object -Skip 1)
    & $Command[0] @more @Arguments
}

function Test-Nvidia {
    if (-not (Get-Command nvidia-smi -ErrorAction SilentlyContinue)) { return $false }
    return [bool](& nvidia-smi -L 2>$null | Select-String GPU)
}

# The least of all cards, since one model may be spread over them.
function Get-Capability {
    $said = & nvidia-smi '--query-gpu=compute_cap' '--format=csv,noheader' 2>$null
    return ($said | ForEach-Object { [version]$_.Trim() } | Sort-Object | Select-Object -First 1)
}

# The newest CUDA that the driver takes; nvidia-smi has no query for it.
function Get-Cuda {
    $found = & nvidia-smi 2>$null | Select-String 'CUDA[^:]*Version:\s*([0-9.]+)' | Select-Object -First 1
    if ($found) { return [version]$found.Matches[0].Groups[1].Value }
    return [version]'0.0'
}

# On Windows the plain torch is built for CPUs.
function Get-TorchBuild {
    if (-not (Test-Nvidia)) { return $Torch }
    if ((Get-Cuda) -ge [version]'13.0' -and (Get-Capability) -ge [version]'7.5') { return "$Torch+cu130" }
    return "$Torch+cu126"
}

function Get-FreeGigabytes {
    $drive = [System.IO.DriveInfo]::new([System.IO.Path]::GetPathRoot($Root))
    return [math]::Floor($drive.AvailableFreeSpace / 1e9)
}

function Get-RoomNeeded {
    if (Test-Nvidia) { return $RoomCuda }
    return $RoomCpu
}

# ---- installing

function New-Environment([string]$Wanted) {
    $python = Join-Path $Root '.venv\Scripts\python.exe'
    if (Test-Path $python) {
        $version = Get-PythonVersion @($python)
        if ($version -and (-not $Wanted -or $version -eq $Wanted)) { return }
    }
    elseif ((Get-FreeGigabytes) -lt (Get-RoomNeeded)) {
        Fail "About $(Get-RoomNeeded) GB are needed in $Root and $(Get-FreeGigabytes) GB are free. Free some, or install in another place."
    }
    $needed = if ($Wanted) { $Wanted } else { $Pythons }
    $found = Find-Python $Wanted
    if (-not $found) { Fail "Python $needed is needed and was not found. Install it from python.org and run this again." }
    Invoke-Words $found @('-m', 'venv', '--clear', (Join-Path $Root '.venv'))
    if ($LASTEXITCODE) { Fail 'The virtual environment could not be made; the reason is above.' }
}

function Invoke-Python([string[]]$Arguments) { & (Join-Path $Root '.venv\Scripts\python.exe') @Arguments }

function Install-Package([string[]]$Arguments) {
    Invoke-Python (@('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check') + $Arguments)
    if ($LASTEXITCODE) {
        Fail "pip's own words are above. Behind a proxy set HTTPS_PROXY; without a network use --offline BUNDLE. Then run this again."
    }
}

function Test-Installation {
    # Windows PowerShell takes a word on standard error for an error of its own.
    try { Invoke-Python @('-I', '-c', 'import medserver.cli, torch, transformers') 2>$null } catch { return $false }
    return $LASTEXITCODE -eq 0
}

# The stamp names everything that decides what is installed, so that a second run has nothing to do.
function Install-For([string]$Extras, [switch]$Thoroughly) {
    $files = 'pyproject.toml', 'constraints.txt', 'install.ps1', 'medserver\__init__.py'
    $hashes = $files | ForEach-Object { (Get-FileHash (Join-Path $Here $_)).Hash.Substring(0, 12) }
    $stamp = "$hashes extras=$Extras torch=$(Get-TorchBuild) at=$Root"
    $stampFile = Join-Path $Root '.venv\installed'
    if ((Test-Path $stampFile) -and (Get-Content $stampFile -Raw).Trim() -eq $stamp) {
        if (-not $Thoroughly -or (Test-Installation)) { return }
    }
    New-Environment
    Remove-Item $stampFile -ErrorAction SilentlyContinue
    Write-Output 'Installing into .venv (a few minutes the first time)'
    Install-Everything $Extras
    if (-not (Test-Installation)) {
        Write-Output 'Something in .venv is broken; making it anew'
        Remove-Item (Join-Path $Root '.venv') -Recurse -Force
        New-Environment
        Install-Everything $Extras
        if (-not (Test-Installation)) { Fail 'MedServer was installed but does not start.' }
    }
    Set-Content $stampFile $stamp
}

function Install-Everything([string]$Extras) {
    $build = Get-TorchBuild
    if ($build.Contains('+')) {
        $index = "$TorchIndex/$($build.Split('+')[1])"
        Install-Package @('--no-deps', '--extra-index-url', $index, "torch==$build")
    }
    $what = if ($Extras) { ".[$Extras]" } else { '.' }
    Install-Package @('-c', 'constraints.txt', '-e', $what)
}

function Get-Extras { if (Test-Nvidia) { return 'quantize' } else { return '' } }

# ---- without a network

function Install-Offline {
    $manifest = Join-Path $Bundle 'medserver-bundle.json'
    if (-not (Test-Path $manifest)) {
        if (-not (Test-Path (Join-Path $Bundle '*.whl'))) { Fail "$Bundle holds neither a medserver-bundle.json nor wheels. Unpack a .tar first." }
        Install-FromFolder
        return
    }
    $found = Find-Python
    if (-not $found) { Fail "Python $Pythons is needed and was not found. Install it from python.org and run this again." }
    # A script that came inside a bundle has only the bundle's own wheel to read it with.
    $source = $Here
    if (-not (Test-Path (Join-Path $Here 'medserver'))) { $source = (Get-Item (Join-Path $Here 'wheels\medserver-*.whl')).FullName }
    $env:PYTHONPATH = $source
    $env:PYTHONDONTWRITEBYTECODE = '1'
    Push-Location ([System.IO.Path]::GetPathRoot($Root))
    Invoke-Words $found @('-m', 'medserver', 'verify', $Bundle)
    $refused = $LASTEXITCODE
    Pop-Location
    $env:PYTHONPATH = $null
    $env:PYTHONDONTWRITEBYTECODE = $null
    if ($refused) { Fail 'This bundle is not installed: it is not as it was packed. What is wrong, and what to do, is said above.' }
    $said = Get-Content $manifest -Raw | ConvertFrom-Json
    if (-not $said.python) { Fail "This bundle holds weights only. Where MedServer is installed, medserver unpack $Bundle brings them in." }
    New-Environment $said.python
    Install-Wheels (Join-Path $Bundle 'wheels') "medserver==$($said.medserver)" "They are for $($said.platform)."
    Set-EnvLine 'HF_HUB_OFFLINE' '1'
    Set-EnvLine 'HF_HOME' "'$Root\weights'"
    Set-EnvLine 'MEDSERVER_MODEL' $said.model
    & (Join-Path $Root '.venv\Scripts\medserver.exe') unpack $Bundle
    if ($LASTEXITCODE) { Fail 'The weights could not be brought in; the reason is above.' }
    Set-Content (Join-Path $Root '.venv\installed') "bundle of $($said.medserver)"
}

# From a folder of wheels that somebody gathered: it holds no manifest to check them against, and no weights.
function Install-FromFolder {
    $what = 'medserver'
    if (-not (Test-Path (Join-Path $Bundle 'medserver-*.whl'))) {
        if (-not (Test-Path (Join-Path $Here 'pyproject.toml'))) { Fail "There is no wheel of MedServer in $Bundle." }
        $what = "--editable=$Here"
    }
    # Torch has a wheel for each Python.
    $python = ''
    $torch = Get-ChildItem $Bundle -Filter 'torch-*.whl' | Select-Object -First 1
    if ($torch -and $torch.Name -match '-cp3(\d+)-') { $python = "3.$($Matches[1])" }
    New-Environment $python
    Write-Output "Installing from the wheels in $Bundle, as they are: it holds no manifest to check them against"
    Install-Wheels $Bundle $what 'Every package that MedServer needs has to be there.'
    Set-Content (Join-Path $Root '.venv\installed') 'wheels'
}

# MedServer itself once more by force: another build may have the same version.
function Install-Wheels([string]$Wheels, [string]$What, [string]$About) {
    $offline = @('-m', 'pip', '--isolated', '--disable-pip-version-check', 'install', '--quiet', '--no-index', '--find-links', $Wheels)
    $wanted = @($What)
    if (Test-Path (Join-Path $Wheels 'bitsandbytes-*.whl')) { $wanted += 'bitsandbytes' }
    Invoke-Python ($offline + $wanted)
    if (-not $LASTEXITCODE) { Invoke-Python ($offline + @('--force-reinstall', '--no-deps', $What)) }
    if ($LASTEXITCODE) { Fail "The wheels could not be installed; pip's own words are above. $About" }
}

# ---- what the person decides

function Test-Interactive { return -not $Yes -and -not [Console]::IsInputRedirected -and -not [Console]::IsOutputRedirected }

# .env holds secrets: only who installs may read it, from before anything is in it.
function Set-EnvLine([string]$Name, [string]$Value) {
    $file = Join-Path $Root '.env'
    $fresh = Join-Path $Root '.env.new'
    $lines = @()
    if (Test-Path $file) { $lines = @(Get-Content $file | Where-Object { -not $_.StartsWith("$Name=") }) }
    Set-Content $fresh ''
    & icacls $fresh /inheritance:r /grant:r "${env:USERNAME}:F" | Out-Null
    [System.IO.File]::WriteAllLines($fresh, [string[]]($lines + "$Name=$Value"))
    Move-Item $fresh $file -Force
}

function Get-EnvLine([string]$Name) {
    $file = Join-Path $Root '.env'
    if (-not (Test-Path $file)) { return '' }
    $found = Get-Content $file | Where-Object { $_.StartsWith("$Name=") } | Select-Object -Last 1
    if ($found) { return $found.Substring($Name.Length + 1) }
    return ''
}

function Read-Answer([string]$Question, [string]$Usual) {
    $answer = Read-Host "$Question [$Usual]"
    if ($answer) { return $answer }
    return $Usual
}

function Set-Choice {
    if (-not (Test-Interactive)) { return }
    $usual = (Get-EnvLine 'MEDSERVER_MODEL').Trim([char]39, [char]34)
    if ($usual -notin $Models) { $usual = if (Test-Nvidia) { '4' } else { 'demo' } }
    while ($true) {
        $model = Read-Answer "Which model will this machine serve: $($Models -join ', ')?" $usual
        if ($model -in $Models) { break }
        Write-Output "There is no model $model."
    }
    Set-EnvLine 'MEDSERVER_MODEL' $model
    if ($model -eq 'demo') { return }
    if (-not $env:HF_TOKEN -and -not (Get-EnvLine 'HF_TOKEN')) {
        Write-Output 'MedGemma is gated: accept its terms on its page at huggingface.co and make a token that may read.'
        # Never echoed and never an argument of a program: both could be read by others.
        $secret = Read-Host 'The token (not shown; empty to do it later)' -AsSecureString
        $token = [System.Net.NetworkCredential]::new('', $secret).Password
        if ($token) { Set-EnvLine 'HF_TOKEN' $token }
    }
    if ((Read-Answer "Fetch the weights of $model now?" 'y') -match '^[yY]') {
        & (Join-Path $Root '.venv\Scripts\medserver.exe') download -m $model
        if ($LASTEXITCODE) { Write-Output "The weights are not here yet. medserver download -m $model goes on with it." }
    }
}

function Write-NextStep {
    $model = Get-EnvLine 'MEDSERVER_MODEL'
    $doctor = if ($model) { $model } else { '4' }
    $serve = if ($model) { $model } else { 'demo' }
    Write-Output "Installed in $Root. Next:"
    Write-Output "  .venv\Scripts\medserver doctor -m $doctor    what is here, what would run and why"
    Write-Output "  .venv\Scripts\medserver -m $serve         serve it, and open http://localhost:8000"
}

# ---- and away again

function Uninstall-Everything {
    # Read while .env is there.
    $hub = Join-Path (Get-Setting 'HF_HOME' (Join-Path $env:USERPROFILE '.cache\huggingface')) 'hub'
    $state = Get-Setting 'MEDSERVER_STATE_DIR' (Join-Path $env:LOCALAPPDATA 'medserver')
    if (Test-Interactive) {
        $question = "Remove MedServer's environment and .env from $Root, and its keys and pairings from ${state}? The weights stay."
        if ((Read-Answer $question 'n') -notmatch '^[yY]') { return }
    }
    $program = Join-Path $Root '.venv\Scripts\medserver.exe'
    if ((Test-Path $program) -and (Test-Path "$env:PROGRAMDATA\MedServer\medserver-task.xml")) { & $program service uninstall --purge }
    foreach ($name in '.venv', '.env', '.env.new', 'medserver.egg-info', '.pytest_cache', '.ruff_cache', '.hypothesis') {
        $path = Join-Path $Root $name
        if (Test-Path $path) { Remove-Item $path -Recurse -Force }
    }
    # Its own files by their names, since a person may have named a folder that holds others too.
    foreach ($name in 'access.db', 'access.db-journal', 'tls') {
        $path = Join-Path $state $name
        if (Test-Path $path) { Remove-Item $path -Recurse -Force }
    }
    Write-Output "MedServer is removed from $Root."
    foreach ($folder in @((Join-Path $Root 'weights'), (Join-Path $hub 'models--google--medgemma-*'))) {
        Get-Item $folder -ErrorAction SilentlyContinue | ForEach-Object { Write-Output "Weights stay in $($_.FullName)." }
    }
}

# As the server finds it: the environment, then .env, then what is usual.
function Get-Setting([string]$Name, [string]$Usual) {
    $value = [Environment]::GetEnvironmentVariable($Name)
    if (-not $value) { $value = (Get-EnvLine $Name).Trim([char]39, [char]34) }
    if ($value) { return $value }
    return $Usual
}

function Write-Plan {
    $found = Find-Python
    Write-Output "Python   $(if ($found) { $found -join ' ' } else { "none: Python $Pythons is needed" })"
    Write-Output "GPU      $(if (Test-Nvidia) { "compute capability $(Get-Capability), driver for CUDA $(Get-Cuda)" } else { 'no NVIDIA GPU' })"
    Write-Output "torch    $(Get-TorchBuild)"
    Write-Output 'SGLang   no: it runs on Linux only'
    Write-Output "Room     about $(Get-RoomNeeded) GB in $Root; $(Get-FreeGigabytes) GB are free"
}

# ---- the call

$action = 'install'
$rest = @()
if (Test-Path (Join-Path $Here 'medserver-bundle.json')) {
    $Bundle = $Here
    $Root = Join-Path (Split-Path $Here -Parent) 'medserver'
}
for ($at = 0; $at -lt $args.Count; $at++) {
    $flag = $args[$at]
    switch -CaseSensitive ($flag) {
        { $_ -in '-h', '--help' } { Write-Output $Usage; exit 0 }
        { $_ -in '-y', '--yes' } { $Yes = $true; continue }
        { $_ -in '--plan', '--uninstall', '--test' } { $action = $flag.Substring(2); continue }
        { $_ -in '--offline', '--into', '--serve' } {
            if ($at + 1 -ge $args.Count) { Fail "$flag needs a value" }
            $at++
            if ($flag -eq '--offline') { $Bundle = (Resolve-Path $args[$at]).Path }
            if ($flag -eq '--into') { $Root = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($args[$at]) }
            if ($flag -eq '--serve') {
                $action = 'serve'
                $rest = @($args[$at..($args.Count - 1)])
                $at = $args.Count
            }
            continue
        }
        default { [Console]::Error.WriteLine($Usage); Fail "unknown argument: $flag" }
    }
}
if ($Bundle -and $action -eq 'install') { $action = 'offline' }
New-Item -ItemType Directory -Force $Root | Out-Null
Set-Location $Root
switch ($action) {
    'plan' { Write-Plan }
    'uninstall' { Uninstall-Everything }
    'offline' { Install-Offline; Write-NextStep }
    'install' { Install-For (Get-Extras) -Thoroughly; Set-Choice; Write-NextStep }
    'serve' {
        Install-For (Get-Extras)
        $model, $flags = $rest
        & (Join-Path $Root '.venv\Scripts\medserver.exe') -m $model @flags
        exit $LASTEXITCODE
    }
    'test' {
        Install-For 'quantize,test'
        Invoke-Python @('-m', 'pytest')
        exit $LASTEXITCODE
    }
}
